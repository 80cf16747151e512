import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ModelDownload } from '../../../protocol/model-offers.ts';
import { wireErrorOf } from '../../../protocol/messages/wire-error.ts';
import { EditError } from '../errors.ts';
import type { CatalogModel } from './catalog-file.ts';
import { createDownloads, type Downloads, type DownloadsOptions } from './downloads.ts';
import { readHub } from './hub/hub-address.ts';
import { rejectionOf } from './testing/error-from.ts';
import { createPullFixture, large, largeBytes } from './testing/pull-fixture.ts';

const licence = { name: 'MIT', url: 'https://example.org/' };

async function createScene() {
  const fixture = await createPullFixture();
  const { hub, modelsDir } = fixture;
  const files = [...hub.files.keys()].map((path) => ({ path, sizeBytes: null, sha256: null }));
  const modelOf = (id: string): CatalogModel => ({
    id,
    title: `Model ${id}`,
    kind: 'checkpoint',
    family: 'Stable Diffusion 1.x',
    goodFor: 'Tests.',
    licence,
    memoryGigabytes: 1,
    hub: { repository: hub.repository, revision: hub.revision, downloadGigabytes: 0.002, files },
  });
  const catalog = [
    modelOf('some-model'),
    modelOf('other-model'),
    { ...modelOf('inside'), hub: null },
    { ...modelOf('decoder'), kind: 'decoder' as const },
  ];
  const pulled: string[] = [];
  const faults: unknown[] = [];
  const open = (changes: Partial<DownloadsOptions> = {}): Downloads => {
    const downloads = createDownloads({
      catalog,
      hub: () => readHub({ HF_ENDPOINT: hub.url }),
      modelsDir,
      onPulled(id) {
        pulled.push(id);
        return Promise.resolve();
      },
      toClientError(error) {
        if (error instanceof EditError) return wireErrorOf(error);
        throw error;
      },
      onFault: (error) => faults.push(error),
      pull: { wait: () => Promise.resolve() },
      ...changes,
    });
    onTestFinished(() => downloads.close());
    return downloads;
  };
  /** The hub sends this many bytes of the large file and then no more, until it is let go. */
  const hold = (bytes: number) => {
    let reached: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => (reached = resolve));
    hub.answer = (entry, request, response) => {
      const content = hub.files.get(large);
      if (entry.where !== 'storage' || entry.method !== 'GET' || entry.path !== large || content === undefined) {
        return false;
      }
      const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, {
        etag: `"${createHash('md5').update(content).digest('hex')}"`,
        'content-length': content.length - start,
        ...(start > 0 && { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
      });
      response.write(content.subarray(start, bytes), () => reached());
      return true;
    };
    return { isHeld, letGo: () => (hub.answer = () => false) };
  };
  return { ...fixture, catalog, open, pulled, faults, hold };
}

/** Resolves when the list is as it should be. */
function until(downloads: Downloads, isSo: (list: readonly ModelDownload[]) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (list: readonly ModelDownload[]): void => {
      if (!isSo(list)) return;
      stop();
      resolve();
    };
    const stop = downloads.subscribe(look);
    look(downloads.list());
  });
}

const accept = (downloads: Downloads, id = 'some-model') => downloads.start(id, downloads.licence(id).sha256);
const states = (downloads: Downloads) => downloads.list().map(({ id, state }) => [id, state]);

describe('a download', () => {
  test('brings the whole model, tells its progress, and leaves the list when the model is known', async () => {
    let clock = 0;
    const { open, pulled, expectAllFiles } = await createScene();
    const downloads = open({ now: () => (clock += 600) });
    const seen: ModelDownload[] = [];
    downloads.subscribe((list) => seen.push(...list));
    await accept(downloads);
    await until(downloads, (list) => list.length === 0);
    expect(pulled).toEqual(['some-model']);
    await expectAllFiles();
    const done = seen.map(({ doneBytes }) => doneBytes);
    expect([...done].sort((a, b) => a - b)).toEqual(done);
    expect(done.at(-1)).toBe(seen.at(-1)?.totalBytes);
    expect(seen.some(({ bytesPerSecond }) => bytesPerSecond !== null && bytesPerSecond > 0)).toBe(true);
    expect(downloads.offers()).toMatchObject([
      { id: 'some-model', state: 'here' },
      { id: 'other-model', state: 'available' },
    ]);
  });

  test('needs the very licence that was shown, and writes nothing without it', async () => {
    const { open, modelsDir, hub } = await createScene();
    const downloads = open();
    for (const accepted of [null, 'a'.repeat(64)]) {
      expect(await rejectionOf(downloads.start('some-model', accepted))).toMatchObject({
        code: 'licence-not-accepted',
      });
    }
    expect([hub.log, await readdir(modelsDir), downloads.list()]).toEqual([[], [], []]);
  });

  test.each(['inside', 'decoder', 'nobody', '../some-model', '__proto__'])(
    'of %j is refused: only what the catalogue offers can be downloaded',
    async (id) => {
      const { open } = await createScene();
      expect(await rejectionOf(open().start(id, 'a'.repeat(64)))).toMatchObject({ code: 'model-missing' });
    },
  );

  test('waits while another one runs', async () => {
    const { open, hold, pulled } = await createScene();
    const { isHeld, letGo } = hold(500_000);
    const downloads = open();
    await accept(downloads);
    await accept(downloads, 'other-model');
    await isHeld;
    expect(states(downloads)).toEqual([
      ['some-model', 'running'],
      ['other-model', 'waiting'],
    ]);
    letGo();
    await downloads.pause('some-model');
    await until(downloads, (list) => list.length === 1);
    expect(pulled).toEqual(['other-model']);
    expect(states(downloads)).toEqual([['some-model', 'paused']]);
  });

  test('that is paused keeps what has come, and goes on from there without another licence', async () => {
    let clock = 0;
    const { open, hold, gets, expectAllFiles } = await createScene();
    const { isHeld, letGo } = hold(600_000);
    const downloads = open({ now: () => (clock += 600) });
    await accept(downloads);
    await isHeld;
    await until(downloads, ([one]) => (one?.doneBytes ?? 0) > 500_000);
    await downloads.pause('some-model');
    expect(states(downloads)).toEqual([['some-model', 'paused']]);
    letGo();
    await downloads.start('some-model', null);
    await until(downloads, (list) => list.length === 0);
    await expectAllFiles();
    expect(gets(large).at(-1)?.start).toBeGreaterThan(0);
  });

  test('goes on in the next server where this one was stopped, and one that was paused stays paused', async () => {
    const { open, hold, gets, pulled, expectAllFiles } = await createScene();
    const { isHeld, letGo } = hold(700_000);
    const first = open();
    await accept(first);
    await isHeld;
    await accept(first, 'other-model');
    await first.pause('other-model');
    await first.close();
    letGo();
    const second = open();
    expect(second.list()).toMatchObject([{ id: 'some-model' }, { id: 'other-model', state: 'paused' }]);
    await until(second, (list) => list.length === 1);
    expect(pulled).toEqual(['some-model']);
    await expectAllFiles();
    expect(gets(large).at(-1)?.sentBytes).toBeLessThan(largeBytes);
  });

  test('that is canceled leaves nothing on the disk, while it runs and when it is paused', async () => {
    const { open, hold, modelsDir } = await createScene();
    const { isHeld } = hold(400_000);
    const downloads = open();
    await accept(downloads);
    await isHeld;
    await downloads.cancel('some-model');
    expect(downloads.list()).toEqual([]);
    const left = await readdir(modelsDir, { recursive: true });
    expect(left.filter((name) => name.includes('some-model') && !name.endsWith('~lock'))).toEqual([]);
    expect(downloads.offers()[0]?.state).toBe('available');
    expect(await rejectionOf(downloads.cancel('some-model'))).toMatchObject({ code: 'model-missing' });
  });
});

describe('a download that fails', () => {
  test('says that the hub cannot be reached, keeps its place, and goes on when it is started again', async () => {
    const { open, hub, expectAllFiles } = await createScene();
    hub.answer = (_entry, request) => {
      request.socket.destroy();
      return true;
    };
    const downloads = open();
    const errors: unknown[] = [];
    downloads.subscribe(([one]) => one?.state === 'running' && errors.push(one.error?.code ?? null));
    await accept(downloads);
    await until(downloads, ([one]) => one?.state === 'failed');
    expect(downloads.list()).toMatchObject([{ id: 'some-model', error: { code: 'connection-lost' } }]);
    // The user hears of it while it is tried again.
    expect(errors).toContain('connection-lost');
    hub.answer = () => false;
    await downloads.start('some-model', null);
    await until(downloads, (list) => list.length === 0);
    await expectAllFiles();
  });

  test('because the disk is too small says so, and lets the next one run', async () => {
    const { open, pulled } = await createScene();
    let isFull = true;
    const downloads = open({
      pull: { freeBytesAt: () => Promise.resolve(isFull ? 1_000 : 1e12), wait: () => Promise.resolve() },
    });
    await accept(downloads);
    await until(downloads, ([one]) => one?.state === 'failed');
    expect(downloads.list()[0]?.error).toMatchObject({ code: 'disk-full' });
    isFull = false;
    await accept(downloads, 'other-model');
    await until(downloads, (list) => list.length === 1);
    expect(pulled).toEqual(['other-model']);
  });

  test('because a file is not the one that the catalogue knows is told as damaged', async () => {
    const { open, catalog } = await createScene();
    const [model] = catalog;
    if (model?.hub == null) throw new Error('There is no model.');
    const files = model.hub.files.map((file) => (file.path === large ? { ...file, sha256: 'e'.repeat(64) } : file));
    const downloads = open({ catalog: [{ ...model, hub: { ...model.hub, files } }] });
    await accept(downloads);
    await until(downloads, ([one]) => one?.state === 'failed');
    expect(downloads.list()[0]?.error?.code).toBe('transfer-damaged');
  });
});

test('a damaged list of downloads is left out and reported, and the parts are found again', async () => {
  const { open, modelsDir, faults } = await createScene();
  await mkdir(join(modelsDir, '.pulling', 'some-model'), { recursive: true });
  await writeFile(join(modelsDir, 'downloads.json'), '[{"id":1}]');
  const downloads = open();
  expect(downloads.list()).toEqual([]);
  expect(faults).toHaveLength(1);
  expect(downloads.offers()[0]?.state).toBe('begun');
  await accept(downloads);
  expect(JSON.parse(await readFile(join(modelsDir, 'downloads.json'), 'utf8'))).toMatchObject([
    { id: 'some-model', isPaused: false },
  ]);
});
