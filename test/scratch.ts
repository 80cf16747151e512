// One temporary folder for all tests of a run. What a test starts may still write when the test has removed its own
// folder (a panel that is left open keeps its state); with this one nothing of it stays on the machine.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Run once before the workers are started, which take the folder from the environment; gives what runs after them. */
export default async function openScratch(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-tests-'));
  // TMPDIR on Linux and macOS, TEMP on Windows.
  Object.assign(process.env, { TMPDIR: folder, TEMP: folder });
  return () => rm(folder, { recursive: true, force: true, maxRetries: 10 });
}
