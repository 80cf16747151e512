// Models that clients download and remove, through the real server and its socket, against a hub on this machine.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Client } from '../../protocol/client/client.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import type { ModelDownload } from '../../protocol/model-offers.ts';
import { writeServerFile } from '../../companion-server/src/cli/server-file.ts';
import type { CatalogModel } from '../../companion-server/src/models/catalog-file.ts';
import { readHub } from '../../companion-server/src/models/hub/hub-address.ts';
import { embeddedModelDir } from '../../companion-server/src/models/installed-models.ts';
import { startFakeHub } from '../../companion-server/src/models/testing/fake-hub.ts';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { runCliProcess } from './cli-process.ts';
import { uploadTo } from './test-jobs.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace } from './workspace.ts';

async function createScene() {
  const workspace = await createWorkspace();
  const made = await makeTinyCheckpoint(join(workspace.folder, 'made'));
  const names = await readdir(made, { recursive: true, withFileTypes: true });
  const contents: Record<string, Uint8Array> = {};
  for (const entry of names.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    contents[path.slice(made.length + 1).replaceAll('\\', '/')] = await readFile(path);
  }
  const hub = await startFakeHub(contents);
  onTestFinished(() => hub.close());
  const tiny: CatalogModel = {
    id: 'tiny',
    title: 'Tiny',
    kind: 'checkpoint',
    family: 'Stable Diffusion 1.x',
    goodFor: 'Tests.',
    licence: { name: 'MIT', url: 'https://example.org/licence' },
    memoryGigabytes: 0,
    hub: {
      repository: hub.repository,
      revision: hub.revision,
      downloadGigabytes: 0,
      files: Object.keys(contents).map((path) => ({ path, sizeBytes: null, sha256: null })),
    },
  };
  const modelsDir = join(workspace.dataDir, 'models');
  const downloads = { catalog: [tiny], hub: () => readHub({ HF_ENDPOINT: hub.url }) };
  const library = { modelsDir, machine: null, looksAtStart: false, downloads };
  const start = (engine = 'copying') => startTestServer({ ...workspace, modelDir: embeddedModelDir, library }, engine);
  return { hub, modelsDir, workspace, start };
}

/** Resolves when the client is told so. */
function told(client: Client, isSo: (downloads: readonly ModelDownload[]) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onModels({
      onDownloads(downloads) {
        if (!isSo(downloads)) return;
        stop();
        resolve();
      },
      onChanged: () => undefined,
    });
  });
}

function changed(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onModels({
      onDownloads: () => undefined,
      onChanged() {
        stop();
        resolve();
      },
    });
  });
}

const ids = async (client: Client) => (await client.models()).models.map(({ id }) => id);

test('a model that one panel downloads is in the list of every panel without a restart, and goes for all when it is removed', async () => {
  const { start, modelsDir } = await createScene();
  const server = await start();
  const [one, other] = [await connectTo(server), await connectTo(server)];
  expect(await one.models()).toMatchObject({
    models: [{ id: 'model' }, { id: 'demo' }],
    offers: [{ id: 'tiny', state: 'available', licenceName: 'MIT' }],
  });
  expect((await one.models()).freeBytes).toBeGreaterThan(0);
  const { sha256, text } = await one.licence('tiny');
  expect(text).toBeNull();
  const heard = [changed(one), changed(other)];
  await one.downloadModel('tiny', sha256);
  await Promise.all(heard);
  expect(await ids(other)).toEqual(['model', 'demo', 'tiny']);
  expect((await other.models()).models[2]).toMatchObject({ source: 'downloaded', vocabulary: null });

  const gone = changed(other);
  await one.removeModel('checkpoint', 'tiny');
  await gone;
  expect(await ids(other)).toEqual(['model', 'demo']);
  expect(existsSync(join(modelsDir, 'tiny'))).toBe(false);
});

test('a model stays while an edit uses it, is removed after the edit was cancelled, and the refusal names the edit', async () => {
  const { start, modelsDir, workspace } = await createScene();
  const server = await start('stopping');
  const client = await connectTo(server);
  const heard = changed(client);
  await client.downloadModel('tiny', (await client.licence('tiny')).sha256);
  await heard;
  const clipId = await uploadTo(client, workspace);
  const settings = { ...defaultSettings(), prompt: 'a blue ball' };
  const spec = { clipId, settings, model: 'tiny', device: 'cpu', priority: 0 } as const;
  const { job } = await client.request({ type: 'job-create', key: 'of-the-model', ...spec });
  await expect(client.removeModel('checkpoint', 'tiny')).rejects.toMatchObject({
    code: 'model-in-use',
    message: 'tiny cannot be removed: the edit "a blue ball" uses it.',
  });
  await writeServerFile(workspace.dataDir, server);
  expect(await runCliProcess(workspace, ['models', 'remove', 'tiny'])).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('tiny cannot be removed: the edit "a blue ball" uses it.') as string,
  });
  expect(existsSync(join(modelsDir, 'tiny'))).toBe(true);
  await client.request({ type: 'job-cancel', jobId: job.jobId });
  await client.removeModel('checkpoint', 'tiny');
  expect(existsSync(join(modelsDir, 'tiny'))).toBe(false);
});

test('a download is known after a restart of the server, and goes on without another licence', async () => {
  const { start, hub } = await createScene();
  const first = await start();
  const client = await connectTo(first);
  // Nothing of the weights comes.
  hub.answer = (entry) => entry.where === 'storage';
  const running = told(client, ([tiny]) => tiny?.state === 'running');
  await client.downloadModel('tiny', (await client.licence('tiny')).sha256);
  await running;
  await client.stop();
  await first.close();

  const second = await start();
  const again = await connectTo(second);
  const paused = told(again, ([tiny]) => tiny?.state === 'paused');
  await again.pauseModel('tiny');
  await paused;
  hub.answer = () => false;
  const done = changed(again);
  // The licence was accepted before the restart.
  await again.downloadModel('tiny', null);
  await done;
  expect(await ids(again)).toContain('tiny');
});

test.each([
  ['the embedded model', 'checkpoint', 'demo'],
  ['the model that the server was started with', 'checkpoint', 'model'],
  ['a path', 'checkpoint', '../models'],
  ['a LoRA that is not there', 'lora', 'grain'],
] as const)('%s is not removed', async (_what, kind, name) => {
  const client = await connectTo(await (await createScene()).start());
  const refusal = await client.removeModel(kind, name).catch((error: unknown) => error);
  expect((refusal as { code?: string }).code).toMatch(/invalid-request|model-missing/);
  expect(existsSync(embeddedModelDir)).toBe(true);
});

test('a licence that was not accepted downloads nothing', async () => {
  const { start, hub } = await createScene();
  const client = await connectTo(await start());
  const refusal = client.downloadModel('tiny', 'a'.repeat(64));
  await expect(refusal).rejects.toMatchObject({ code: 'licence-not-accepted' });
  expect(hub.log).toEqual([]);
});

test('a sample clip of the practice model comes as it is, and no other file of its folder does', async () => {
  const client = await connectTo(await (await createScene()).start());
  const [{ vocabulary } = { vocabulary: null }] = (await client.models()).models.filter(({ id }) => id === 'demo');
  const sample = vocabulary?.samples[0];
  if (sample === undefined) throw new Error('There is no sample.');
  const bytes = await client.sample('demo', sample.name);
  expect(Buffer.from(bytes)).toEqual(await readFile(join(embeddedModelDir, 'samples', `${sample.name}.mp4`)));
  for (const name of ['../model_index', 'ball-grass.json', 'nobody']) {
    await expect(client.sample('demo', name)).rejects.toMatchObject({ code: 'invalid-request' });
  }
});
