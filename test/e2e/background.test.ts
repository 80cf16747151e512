// `start`, `stop` and `status`: a server that outlives the command that started it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive } from '../../companion-server/src/files/owned-name.ts';
import { runCliProcess, startCli, type CliOptions } from './cli-process.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

interface Status {
  readonly isRunning: boolean;
  readonly port?: number;
  readonly version?: string;
  readonly model?: string | null;
  readonly processId?: number;
}

async function status(workspace: Workspace): Promise<Status & { readonly exitCode: number | null }> {
  const { stdout, exitCode } = await runCliProcess(workspace, ['status', '--json']);
  return { ...(JSON.parse(stdout) as Status), exitCode };
}

/** A server in the background, which goes with the test. */
async function startServer(workspace: Workspace, options?: CliOptions): Promise<number> {
  const started = await runCliProcess(workspace, ['start', '--port', '0', '--model', 'model', '--json'], options);
  expect(started).toMatchObject({ exitCode: 0, stderr: '' });
  const { processId = 0 } = JSON.parse(started.stdout) as Status;
  onTestFinished(() => {
    if (isAlive(processId)) process.kill(processId, 'SIGKILL');
  });
  return processId;
}

test('start returns when the server answers, and stop when it has ended', async () => {
  const workspace = await createWorkspace();
  const processId = await startServer(workspace);
  const { url } = JSON.parse(await readFile(join(workspace.dataDir, 'server.json'), 'utf8')) as { url: string };
  const running = await status(workspace);
  expect(running).toMatchObject({ isRunning: true, exitCode: 0, model: 'model', processId });
  expect(url).toBe(`http://127.0.0.1:${running.port ?? 0}`);

  const again = await runCliProcess(workspace, ['start', 'tokenflow://start']);
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('runs already') as unknown });
  expect(await status(workspace)).toMatchObject({ processId });

  const stopped = await runCliProcess(workspace, ['stop']);
  expect(stopped).toMatchObject({ exitCode: 0, stdout: 'The companion server has ended.\n' });
  expect(isAlive(processId)).toBe(false);
  expect(await status(workspace)).toEqual({ isRunning: false, exitCode: 3 });
});

test('a server that is killed is known not to run, and a new one can be started', async () => {
  const workspace = await createWorkspace();
  const processId = await startServer(workspace);
  process.kill(processId, 'SIGKILL');
  await expect.poll(() => isAlive(processId)).toBe(false);
  expect(await status(workspace)).toEqual({ isRunning: false, exitCode: 3 });
  expect(await startServer(workspace)).not.toBe(processId);
});

test('stop ends a server whose engine does not listen', async () => {
  const workspace = await createWorkspace();
  const processId = await startServer(workspace, { engine: 'stubborn' });
  const { url } = JSON.parse(await readFile(join(workspace.dataDir, 'server.json'), 'utf8')) as { url: string };
  const edit = startCli(workspace, ['edit', 'clip.mp4', '--prompt', 'a wolf', '--server', url]);
  await edit.said('%');
  const stopped = await runCliProcess(workspace, ['stop', '--json']);
  expect(stopped.exitCode).toBe(0);
  expect(isAlive(processId)).toBe(false);
});

test('stop says that nothing runs', async () => {
  const workspace = await createWorkspace();
  const stopped = await runCliProcess(workspace, ['stop']);
  expect(stopped).toEqual({ exitCode: 0, stdout: 'The companion server does not run.\n', stderr: '' });
});

test('start tells what the server said when it could not start', async () => {
  const workspace = await createWorkspace();
  const { exitCode, stderr } = await runCliProcess(workspace, ['start', '--model', 'nowhere']);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('The companion server ended at its start.');
  expect(stderr).toContain('nowhere');
  expect(await status(workspace)).toMatchObject({ isRunning: false });
});

test('install, update and uninstall are for a downloaded archive only', async () => {
  const workspace = await createWorkspace();
  const { exitCode, stderr } = await runCliProcess(workspace, ['uninstall', '--yes']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('uninstall is for a downloaded archive');
});
