// Ctrl+C at several stages: no process, no temporary file and no partial output may be left.

import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startCli } from './cli-process.ts';
import { createLifeline } from './lifeline.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

const edit = ['edit', 'clip.mp4', '--model', 'model', '--prompt', 'a wolf'] as const;

/**
 * Leftovers but for half a copy of weights: after an end by force it goes with the next start of a server that
 * finds the system's table of processes without its writer.
 */
async function runLeftovers(workspace: Workspace): Promise<readonly string[]> {
  const leftovers = await workspace.leftovers();
  return leftovers.filter((name) => !name.startsWith('weights'));
}

test.each([
  ['SIGINT', 'while the clip is sent', 'upload', 130],
  ['SIGINT', 'while the engine starts', 'queue', 130],
  ['SIGINT', 'while the engine computes', 'step 1/100', 130],
  ['SIGTERM', 'while the engine computes', 'step 1/100', 143],
] as const)('%s %s', async (signal, _when, stage, expectedExitCode) => {
  const workspace = await createWorkspace();
  const lifeline = await createLifeline();
  const env = { TEST_LIFELINE_PORT: String(lifeline.port) };
  const cli = startCli(workspace, edit, { engine: 'hanging', env });
  await cli.said(stage);
  cli.kill(signal);
  const { exitCode, stdout, stderr } = await cli.ended;
  expect({ exitCode, stdout }).toEqual({ exitCode: expectedExitCode, stdout: '' });
  expect(stderr).toContain('Canceled. Nothing is left behind.');
  await lifeline.ended();
  expect((await readdir(workspace.folder)).sort()).toEqual(['cache', 'clip.mp4', 'model']);
  expect(await workspace.leftovers()).toEqual([]);
});

test('Ctrl+C twice ends at once and cleans up all the same', async () => {
  const workspace = await createWorkspace();
  const lifeline = await createLifeline();
  const env = { TEST_LIFELINE_PORT: String(lifeline.port) };
  const cli = startCli(workspace, edit, { engine: 'hanging', env });
  await cli.said('step 1/100');
  cli.kill('SIGINT');
  cli.kill('SIGINT');
  expect((await cli.ended).exitCode).toBe(130);
  await lifeline.ended();
  expect((await readdir(workspace.folder)).sort()).toEqual(['cache', 'clip.mp4', 'model']);
  expect(await runLeftovers(workspace)).toEqual([]);
});

test('kill -9 leaves no process, and the next run removes what was left', async () => {
  const workspace = await createWorkspace();
  const lifeline = await createLifeline();
  const env = { TEST_LIFELINE_PORT: String(lifeline.port) };
  const killed = startCli(workspace, edit, { engine: 'hanging', env });
  await killed.said('step 1/100');
  killed.kill('SIGKILL');
  await killed.ended;
  await lifeline.ended();
  expect(await workspace.leftovers()).not.toEqual([]);
  const next = startCli(workspace, edit);
  expect((await next.ended).exitCode).toBe(0);
  expect(await runLeftovers(workspace)).toEqual([]);
  const files = (await readdir(workspace.folder)).sort();
  expect(files).toEqual(['cache', 'clip-edited.mov', 'clip.mp4', 'model']);
});
