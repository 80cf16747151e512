// The command line as one file of JavaScript. Tests start it dozens of times, and reading the sources takes a process
// three times as long as what it then does.

import { mkdtemp, readFile, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const entry = fileURLToPath(new URL('./fixtures/cli.ts', import.meta.url));

/** The environment variable that tells the tests where the bundle is. */
export const bundleVariable = 'TEST_CLI_BUNDLE';

/** Sources find files beside them: each keeps its own URL. */
const keepUrls: Plugin = {
  name: 'keep URLs',
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const url = JSON.stringify(pathToFileURL(file).href);
      return { contents: source.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

/** Run once before the workers are started, in the run's temporary folder, with which the bundle goes. */
export default async function bundleCli(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-cli-'));
  const outfile = path.join(folder, 'cli.mjs');
  // The packages are not in the bundle. A junction is what Windows lets every user make.
  await symlink(path.join(import.meta.dirname, '..', 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    packages: 'external',
    plugins: [keepUrls],
  });
  process.env[bundleVariable] = outfile;
}
