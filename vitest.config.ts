import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['companion-server', 'plugin', 'protocol', 'test'].map((room) => `${room}/**/*.test.ts`),
    globalSetup: ['test/scratch.ts'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
