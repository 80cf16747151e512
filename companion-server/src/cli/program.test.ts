import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

/** A command that asks about a file, does not wait for the answer, and ends. */
const script = `
import { open } from 'node:fs/promises';
import { runProgram } from ${JSON.stringify(path.join(import.meta.dirname, 'program.ts'))};
const command = {
  name: 'ask', usage: '', summary: 'Asks.', options: {}, notes: [],
  run: async (_, { stdout }) => {
    void open(process.env.SILENT_FILE);
    stdout.write('asked');
  },
};
await runProgram({ commands: [command], engineEntry: new URL('file:///none') });
`;

test.skipIf(process.platform === 'win32')(
  'a command that has ended does not stay for a disk that does not answer',
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tokenflow-program-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const silent = path.join(folder, 'pipe');
    // Opening it waits until somebody writes, as a question to a dead network folder does.
    execFileSync('mkfifo', [silent]);
    const options = [
      '--import',
      import.meta.resolve('tsx'),
      '--input-type=module',
      '--eval',
      script,
      '--',
      'program',
      'ask',
    ];
    const child = spawn(process.execPath, options, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, SILENT_FILE: silent },
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [, signal] = (await once(child, 'close')) as [null, string];
    expect(said).toBe('asked');
    expect(signal).toBe('SIGKILL');
  },
);
