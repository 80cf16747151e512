// A server that finds no file handle for a moment, under a real limit of the system.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { programOf } from '../bundles.ts';
import { createWorkspace } from '../e2e/workspace.ts';

// Its bundle: reading the sources takes more handles than the limit leaves.
const script = fileURLToPath(programOf('out-of-files'));

// Skipped on Windows, which has no such limit.
test.skipIf(process.platform === 'win32')(
  'a job that begins while all file handles are taken is done when they are free again',
  async () => {
    const { clipPath, modelDir, folder } = await createWorkspace();
    const node = [process.execPath, script];
    const limited = ['-c', 'ulimit -n 200; exec "$0" "$@"', ...node, clipPath, modelDir, folder];
    const { stdout } = await promisify(execFile)('sh', limited);
    expect(stdout).toBe('refused once\ndone \n');
  },
);
