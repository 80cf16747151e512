import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { adoptChild, endChild, type EndOptions } from './children.ts';
import { leadsOwnGroup } from './process-tree.ts';

/** Long enough that a test which waits for it fails. */
const longMs = 10 * 60_000;

/** Runs a script that writes something once it is ready; resolves then. */
async function start(script: string, options: SpawnOptions = {}): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  onTestFinished(() => void child.kill('SIGKILL'));
  const stdout = child.stdout as Readable;
  await once(stdout, 'readable');
  return child;
}

async function endingOf(child: ChildProcess, options: EndOptions): Promise<unknown> {
  const exit = once(child, 'exit');
  endChild(child, options);
  const [code, signal] = (await exit) as [number | null, string | null];
  return signal ?? code;
}

const ready = `process.stdout.write('ready');`;
const listens = `process.on('SIGTERM', () => process.exit(7));`;
const isDeaf = `process.on('SIGTERM', () => undefined);`;
const lives = 'setInterval(() => undefined, 1_000);';
/** A child of the child, which holds the standard error that it is given open. */
const begets = `
  const { spawn } = require('node:child_process');
  const stdio = ['ignore', 'ignore', 'inherit'];
  spawn(process.execPath, ['-e', ${JSON.stringify(lives)}], { stdio }).on('spawn', () => { ${ready} });`;

// Windows has no request to end: a process is killed there.
const testSignals = test.skipIf(process.platform === 'win32');

testSignals('a child that ends when it is asked is not killed', async () => {
  expect(await endingOf(await start(listens + lives + ready), { graceMs: longMs })).toBe(7);
});

testSignals('a child that does not end when it is asked is killed after the grace time', async () => {
  expect(await endingOf(await start(isDeaf + lives + ready), { graceMs: 50 })).toBe('SIGKILL');
});

testSignals('a child is killed at once where there is no grace time', async () => {
  expect(await endingOf(await start(listens + lives + ready), { graceMs: 0 })).toBe('SIGKILL');
});

testSignals('a child that waits at a full pipe ends once the pipe is closed', async () => {
  const script = `
    ${listens}
    const { writeSync } = require('node:fs');
    try { for (;;) writeSync(1, Buffer.alloc(65_536)); } catch { process.exit(7); }`;
  expect(await endingOf(await start(script), { graceMs: longMs, closesPipes: true })).toBe(7);
});

testSignals('a child that takes the end of its input for our end is asked with open pipes', async () => {
  const script = `${listens} process.stdin.resume().on('end', () => process.exit(8)); ${ready}`;
  expect(await endingOf(await start(script), { graceMs: longMs })).toBe(7);
});

test('ending a tree ends what the child has started', async () => {
  const child = await start(isDeaf + begets, { detached: leadsOwnGroup });
  const closed = once(child.stderr?.resume() as Readable, 'close');
  await endingOf(child, { graceMs: 50, reach: 'tree' });
  expect(await closed).toEqual([false]);
});

test('what the child of a tree has started ends with the child', async () => {
  const script = `${begets} process.stdin.resume().on('end', () => process.exit(7));`;
  const child = await start(script, { detached: leadsOwnGroup });
  adoptChild(child, 'tree');
  const ends = [once(child, 'exit'), once(child.stderr?.resume() as Readable, 'close')];
  child.stdin?.end();
  expect(await Promise.all(ends)).toEqual([[7, null], [false]]);
});

test('a child that has ended, or was never started, is left alone', async () => {
  const ended = await start(ready);
  ended.stdout?.resume();
  await once(ended, 'close');
  const missing = spawn('/none/such-program', { stdio: 'ignore' });
  adoptChild(missing);
  await once(missing, 'error');
  for (const child of [ended, missing]) {
    endChild(child, { graceMs: longMs, closesPipes: true });
    expect(child.listenerCount('exit')).toBeLessThanOrEqual(1);
  }
});

test.each(['child', 'tree'])('an adopted %s is killed when we exit', async (reach) => {
  const script = `
    import { spawn } from 'node:child_process';
    import { adoptChild } from ${JSON.stringify(new URL('./children.ts', import.meta.url).href)};
    const stdio = ['ignore', 'ignore', 'inherit'];
    const isTree = ${JSON.stringify(reach)} === 'tree';
    const child = spawn(process.execPath, ['-e', ${JSON.stringify(isDeaf + lives)}], { stdio, detached: isTree });
    adoptChild(child, ${JSON.stringify(reach)});
    child.on('spawn', () => process.exit(3));`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ends = [once(parent, 'exit'), once(parent.stderr.resume(), 'close')];
  expect(await Promise.all(ends)).toEqual([[3, null], [false]]);
});
