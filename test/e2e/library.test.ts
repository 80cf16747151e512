// Models of other programs through the real server: they come and go while it runs, and nothing of their paths is told.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  madeFiles,
  makeHome,
  putRepository,
  type MadeHome,
} from '../../companion-server/src/models/library/testing/made-places.ts';
import { checkpointFiles, writeFiles } from '../../companion-server/src/weights/testing/made-checkpoint.ts';
import { editOverSocket } from '../../companion-server/src/client/edit-over-socket.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace } from './workspace.ts';

const loras = 'ComfyUI/models/loras';

async function startWithHome(home: MadeHome) {
  const workspace = await createWorkspace();
  await writeFiles(workspace.modelDir, checkpointFiles());
  const modelsDir = join(workspace.dataDir, 'models');
  const library = { modelsDir, machine: home.machine, looksAtStart: true, downloads: null };
  const server = await startTestServer({ ...workspace, library });
  const client = await connectTo(server);
  const edit = (model: string) =>
    editOverSocket(client, {
      clipPath: workspace.clipPath,
      outPath: join(workspace.folder, 'out.mov'),
      settings: { ...defaultSettings(), prompt: 'a wolf' },
      model,
      device: 'cpu',
      onProgress: () => undefined,
    });
  return { client, edit };
}

test('a model that comes while the server runs is edited with by its name, and is in the next list', async () => {
  const home = await makeHome();
  const { client, edit } = await startWithHome(home);
  expect((await client.models()).models.map(({ id }) => id)).toEqual(['model', 'demo']);
  await putRepository(home, 'someone/film-model', checkpointFiles());
  await home.put({ [`${loras}/grain.safetensors`]: madeFiles.lora });
  expect(await edit('someone/film-model')).toMatchObject({ report: { frames: 40 } });
  const lists = await client.models();
  expect(lists).toMatchObject({
    models: [{ id: 'model' }, { id: 'demo' }, { id: 'someone/film-model', source: 'hub', problem: null }],
    loras: [{ name: 'grain', source: 'comfyui', folder: 'models/loras' }],
    notices: [],
  });
  expect(JSON.stringify(lists)).not.toContain(home.home);
});

test('a model that goes is missed by name, and the server goes on', async () => {
  const home = await makeHome();
  const dir = await putRepository(home, 'someone/film-model', checkpointFiles());
  const { client, edit } = await startWithHome(home);
  await edit('someone/film-model');
  await rm(home.path(dir), { recursive: true });
  const failure = await edit('someone/film-model').catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'model-missing',
    message: "The server has no model named 'someone/film-model'; it has model, demo.",
  });
  expect(await edit('model')).toMatchObject({ report: { frames: 40 } });
  expect((await client.models()).models.map(({ id }) => id)).toEqual(['model', 'demo']);
});

test('what cannot be used is refused with the reason, without its path', async () => {
  const home = await makeHome();
  await home.put({ 'ComfyUI/models/checkpoints/old.ckpt': 'pickle' });
  const { edit } = await startWithHome(home);
  const failure = (await edit('old').catch((error: unknown) => error)) as Error;
  expect(failure).toMatchObject({ code: 'model-unsupported' });
  expect(failure.message).toContain('It is a pickle');
  expect(failure.message).not.toContain(home.home);
});

test('a folder of 3,000 files and a loop of links are listed while other requests are answered', async () => {
  const home = await makeHome();
  const { client } = await startWithHome(home);
  await mkdir(home.path(loras), { recursive: true });
  const names = Array.from({ length: 3_000 }, (_, index) => `film-${String(index).padStart(4, '0')}`);
  await Promise.all(names.map((name) => writeFile(home.path(`${loras}/${name}.safetensors`), madeFiles.lora)));
  await home.link(`${loras}/loop`, 'ComfyUI');
  let isListed = false;
  const listed = client.models().finally(() => (isListed = true));
  const jobs = await client.jobs();
  expect({ jobs, isListed }).toEqual({ jobs: [], isListed: false });
  expect((await listed).loras.map(({ name }) => name)).toEqual(names);
});
