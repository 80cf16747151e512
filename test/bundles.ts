// Where the programs are that tests start as processes.

import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** The environment variable that names the folder of bundles (bundle-programs.ts). */
export const bundlesVariable = 'TEST_BUNDLES';

/** The program test/fixtures/{name}.ts: its bundle in a run of the tests, else its source. */
export function programOf(name: 'cli' | 'out-of-files' | `engines/${string}`): URL {
  const folder = process.env[bundlesVariable];
  return folder === undefined
    ? new URL(`./fixtures/${name}.ts`, import.meta.url)
    : pathToFileURL(path.join(folder, `${name}.mjs`));
}
