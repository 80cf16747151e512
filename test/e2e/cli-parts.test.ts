// A checkpoint in one file from the command line to the engine and back: where its missing parts come from, and what happens
// when the file goes while an edit uses it.

import { readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createEngine } from '../../companion-server/src/engine/worker/supervisor.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { makeRegularCheckpoint } from '../fixtures/regular-checkpoint.ts';
import { invertFolder, writeRaw } from '../fixtures/single-file.ts';
import { writeJson } from '../fixtures/tiny-checkpoint.ts';
import { programOf } from '../bundles.ts';
import { tinyJob } from '../tiny-edits.ts';
import { runCliProcess } from './cli-process.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

async function makeCat({ folder }: Workspace): Promise<string> {
  const file = join(folder, 'cat.mkv');
  await makeClip(file, [...testPicture('64x64', '10', 2), '-c:v', 'ffv1']);
  return file;
}

test('parts come from the folder that is named; a folder of another kind is refused by its name', async () => {
  const workspace = await createWorkspace();
  const { folder } = workspace;
  await makeCat(workspace);
  const giver = await makeRegularCheckpoint(join(folder, 'giver'), 'sd1');
  const tensors = await invertFolder(giver, 'sd1');
  await writeRaw(join(folder, 'film.safetensors'), new Map([...tensors].filter(([key]) => key.startsWith('model.'))));
  await writeJson(join(folder, 'flux'), 'model_index.json', { _class_name: 'FluxPipeline' });
  const edit = async (out: string, ...model: readonly string[]) => {
    const small = ['--steps', '1', '--inversion-steps', '1', '--guidance', '6', '--out', out];
    const args = ['edit', 'cat.mkv', '--device', 'cpu', '--prompt', 'a dog', ...small, '--model', ...model];
    const ended = await runCliProcess(workspace, args, { engine: 'sharing' });
    return { ...ended, result: await readFile(join(folder, out)).catch(() => null) };
  };
  const [whole, borrowed] = [
    await edit('whole.mov', 'giver'),
    await edit('borrowed.mov', 'film.safetensors', '--parts', 'giver'),
  ];
  expect([whole.exitCode, borrowed.exitCode]).toEqual([0, 0]);
  expect(whole.result?.equals(borrowed.result ?? Buffer.alloc(0))).toBe(true);
  const flux = await edit('flux.mov', 'flux');
  expect(flux).toMatchObject({ exitCode: 4, result: null });
  expect(flux.stderr).toContain('is Flux');
});

test('a file that is removed while an edit uses it is used to the end; one that is cut is named, and the engine lives', async () => {
  const workspace = await createWorkspace();
  const inputPath = await makeCat(workspace);
  const { folder: dir } = workspace;
  const tensors = await invertFolder(await makeRegularCheckpoint(join(dir, 'giver'), 'sd1', 'F32'), 'sd1');
  const engine = createEngine({ entry: programOf('engines/real'), idleMs: 60_000 });
  onTestFinished(() => engine.close());
  /** The edit by a model file of its own; `disturb` is called when its first step is finished. */
  const edit = async (name: string, disturb: (file: string) => Promise<void>) => {
    const modelDir = join(dir, `${name}.safetensors`);
    await writeRaw(modelDir, tensors);
    let disturbed: Promise<void> | undefined;
    const job = tinyJob({ dir, modelDir, inputPath }, name, {});
    const onResumePoint = (): void => void (disturbed ??= disturb(modelDir));
    const run = () => engine.edit(job, { onProgress: () => undefined, onResumePoint });
    const first = await run().then(
      () => null,
      (error: unknown) => error,
    );
    expect(disturbed).toBeDefined();
    await disturbed;
    return { first, again: run, result: await readFile(job.outputPath).catch(() => null) };
  };
  const calm = await edit('calm', () => Promise.resolve());
  const removed = await edit('removed', (file) => rm(file));
  expect([calm.first, removed.first]).toEqual([null, null]);
  expect(removed.result?.equals(calm.result ?? Buffer.alloc(0))).toBe(true);
  await expect(removed.again()).rejects.toMatchObject({ code: 'model-missing' });

  const cut = await edit('cut', (file) => truncate(file, 200_000));
  // Reading behind the end of a mapped file ends the process (SIGBUS); where the file is read, it is told.
  expect(cut.first).toMatchObject({ code: expect.stringMatching(/^(engine-crashed|model-damaged)$/) as string });
  expect(cut.result).toBeNull();
  await expect(cut.again()).rejects.toMatchObject({
    code: 'model-damaged',
    message: expect.stringContaining('cut.safetensors') as string,
  });
  expect((await edit('after', () => Promise.resolve())).first).toBeNull();
});
