import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { endTreeByProgram, type Program } from './process-tree.ts';

const lives = 'setInterval(() => undefined, 1_000);';
const node = (script: string): Program => [process.execPath, '-e', script];

test.each<[string, Program, number | undefined]>([
  ['is missing', ['/none/such-program'], undefined],
  ['fails', node('process.exit(1)'), undefined],
  ['hangs', node(lives), 50],
])('a process is killed where the program that should end its tree %s', async (_, program, timeoutMs) => {
  const child = spawn(process.execPath, ['-e', lives], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const exit = once(child, 'exit');
  endTreeByProgram(child, program, timeoutMs);
  expect(await exit).toEqual([null, 'SIGKILL']);
});

test('a process is left to the program that ends its tree', async () => {
  const child = spawn(process.execPath, [
    '-e',
    `process.on('SIGTERM', () => process.exit(7)); process.stdout.write('ready'); ${lives}`,
  ]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'readable');
  const exit = once(child, 'exit');
  endTreeByProgram(child, node(`process.kill(${child.pid}, 'SIGTERM')`));
  expect(await exit).toEqual([7, null]);
});
