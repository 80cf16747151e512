// Editing one clip again and again from the command line, each time with a server of the command's own.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { runCliProcess } from './cli-process.ts';
import { createWorkspace } from './workspace.ts';

test('an edit without a running server keeps its inversion where a server would, and the next one uses it', async () => {
  const workspace = await createWorkspace();
  const model = await makeTinyCheckpoint(join(workspace.folder, 'tiny'));
  await makeClip(join(workspace.folder, 'cat.mkv'), [...testPicture('64x64', '10', 2), '-c:v', 'ffv1']);
  const inversionsOf = async (prompt: string, seed: number): Promise<unknown> => {
    const args = [
      'edit',
      'cat.mkv',
      '--model',
      model,
      '--device',
      'cpu',
      '--prompt',
      prompt,
      '--source-prompt',
      'a cat',
      '--steps',
      '1',
      '--inversion-steps',
      '1',
      '--seed',
      String(seed),
      '--json',
    ];
    const { stdout, stderr } = await runCliProcess(workspace, args, { engine: 'sharing' });
    const last = stdout.trimEnd().split('\n').at(-1) ?? '';
    const done = JSON.parse(last) as { readonly unetEvaluations?: { readonly inversion: number } };
    if (done.unetEvaluations === undefined) throw new Error(`${last}\n${stderr}`);
    return done.unetEvaluations.inversion;
  };
  expect(await inversionsOf('a photo of a cat', 1)).toBe(2);
  expect(await inversionsOf('a photo of a dog', 2)).toBe(0);
  const { stdout } = await runCliProcess(workspace, ['cache', 'list', '--inversions']);
  expect(stdout).toContain('1 inverted clips');
});
