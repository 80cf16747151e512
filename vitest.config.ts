import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['companion-server', 'plugin', 'protocol', 'test'].map((folder) => `${folder}/**/*.test.ts`),
    globalSetup: ['test/scratch.ts', 'test/bundle-programs.ts'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    // A worker keeps the modules that it has loaded: to load them anew for every file takes longer than most files' tests.
    isolate: false,
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
