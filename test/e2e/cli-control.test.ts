// ControlNets from the command line to the engine and back, each with a server of the command's own.

import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { makeTinyControlNet } from '../fixtures/tiny-controlnet.ts';
import { runCliProcess } from './cli-process.ts';
import { createWorkspace } from './workspace.ts';

test('a ControlNet guides an edit by pictures of the clip or by a video; one of another family is refused by name', async () => {
  const workspace = await createWorkspace();
  const { folder } = workspace;
  const model = await makeTinyCheckpoint(join(folder, 'tiny'));
  const clip = [...testPicture('64x64', '10', 2), '-c:v', 'ffv1'];
  await makeClip(join(folder, 'cat.mkv'), clip);
  await makeClip(join(folder, 'depth.mkv'), [...testPicture('64x64', '10', 2), '-vf', 'negate', '-c:v', 'ffv1']);
  const net = await makeTinyControlNet(join(folder, 'edges'), model);
  const other = join(folder, 'xl-edges');
  await cp(net, other, { recursive: true });
  const config = JSON.parse(await readFile(join(net, 'config.json'), 'utf8')) as object;
  await writeFile(
    join(other, 'config.json'),
    JSON.stringify({ ...config, addition_embed_type: 'text_time', cross_attention_dim: 2048 }),
  );

  const edit = async (out: string, ...controls: readonly string[]) => {
    const small = ['--steps', '1', '--inversion-steps', '1', '--technique', 'none', '--out', out];
    const args = ['edit', 'cat.mkv', '--model', model, '--device', 'cpu', '--prompt', 'a cat', ...small];
    const ended = await runCliProcess(workspace, [...args, ...controls], { engine: 'sharing' });
    return { ...ended, result: await readFile(join(folder, out)).catch(() => null) };
  };
  const canny = await edit('canny.mov', '--control', 'canny:./edges:0.8');
  expect(canny).toMatchObject({ exitCode: 0, stderr: expect.any(String) as string });
  expect(canny.stdout).toContain('ControlNet: canny (edges) 0.8');
  const own = await edit('own.mov', '--control', 'own:./edges:./depth.mkv:0.8');
  expect(own.stdout).toContain('ControlNet: own (edges) 0.8');
  expect(own.result?.equals(canny.result ?? Buffer.alloc(0))).toBe(false);

  const refused = await edit('refused.mov', '--control', 'canny:./xl-edges');
  expect(refused).toMatchObject({ exitCode: 4, result: null });
  expect(refused.stderr).toContain('The ControlNet "xl-edges" cannot be used');
  expect(refused.stderr).toContain('It is for Stable Diffusion XL.');
  expect(refused.stderr).not.toContain(folder);
});
