import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { heartbeatDescriptor, heartbeatVariable } from './parent-watch.ts';
import { leadsOwnGroup } from './process-tree.ts';
import { loaderArguments } from './typescript-loader.ts';
import type { Readable } from 'node:stream';

/** A process that watches its parent and computes without end, so that its main thread notices nothing. */
function startBusy() {
  const script = `
    import { endWithParent } from ${JSON.stringify(new URL('./parent-watch.ts', import.meta.url).href)};
    endWithParent();
    process.stdout.write(String(process.env[${JSON.stringify(heartbeatVariable)}]), () => { for (;;); });`;
  const child = spawn(
    process.execPath,
    [...loaderArguments(import.meta.filename), '--input-type=module', '-e', script],
    {
      stdio: ['pipe', 'pipe', 'inherit', 'ignore', 'pipe'],
      detached: leadsOwnGroup,
      env: { ...process.env, [heartbeatVariable]: '20' },
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stdin, stdout, , , beats] = child.stdio as [typeof child.stdin, Readable, null, null, Readable];
  expect(heartbeatDescriptor).toBe(4);
  return { child, stdin, stdout, beats };
}

test('a process ends when its parent has closed the pipe, even while it computes', async () => {
  const { child, stdin, stdout, beats } = startBusy();
  beats.resume();
  await once(stdout, 'data');
  const exit = once(child, 'exit');
  stdin?.end();
  expect(await exit).toEqual([null, 'SIGKILL']);
});

test('a process that computes goes on beating, and what it starts is not asked to beat', async () => {
  const { stdout, beats } = startBusy();
  const [asked] = (await once(stdout, 'data')) as [Buffer];
  expect(asked.toString()).toBe('undefined');
  for (let beat = 0; beat < 3; beat++) expect(((await once(beats, 'data')) as [Buffer])[0].toString()).toMatch(/^\.+$/);
});
