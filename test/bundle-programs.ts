// The command line, the engines of the fixtures and what needs few file handles, each as one file of JavaScript. Tests start
// them some two hundred times, and reading the sources takes a process several times as long as what it then does.

import { mkdtemp, readdir, readFile, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { bundlesVariable } from './bundles.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');

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

/** Run once before the workers are started, into the run's temporary folder, with which the bundles go. */
export default async function bundlePrograms(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-programs-'));
  // The packages are not in the bundles. A junction is what Windows lets every user make.
  await symlink(path.join(fixtures, '..', '..', 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  const engines = await readdir(path.join(fixtures, 'engines'));
  await build({
    entryPoints: ['cli.ts', 'out-of-files.ts', ...engines.map((name) => `engines/${name}`)].map((name) =>
      path.join(fixtures, name),
    ),
    outbase: fixtures,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    plugins: [keepUrls],
  });
  process.env[bundlesVariable] = folder;
}
