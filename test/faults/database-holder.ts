// Another process that holds a database, as long as a test wants it to.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const entry = fileURLToPath(new URL('../fixtures/hold-database.ts', import.meta.url));

/** Resolves when the other process holds the database at `path`, with what makes it let go and end. */
export async function holdDatabase(path: string): Promise<() => Promise<void>> {
  const holder = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), entry, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  const ended = once(holder, 'exit');
  await Promise.race([
    once(holder.stdout, 'data'),
    ended.then(() => Promise.reject(new Error('The database could not be held.'))),
  ]);
  return async () => {
    holder.stdin.end('\n');
    await ended;
  };
}
