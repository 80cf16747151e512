import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createPlainServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Check } from '../../../protocol/diagnostics.ts';
import { clearKeptFiles, listKeptFiles } from './kept-files.ts';
import { checkDevices, checkFolder, checkNode, checkProgram, checkRuntime } from './machine-checks.ts';
import { findPortOwner } from './port-owner.ts';
import { createDoctor, runChecks, type DoctorDeps, type KnownClient } from './run-checks.ts';

let folder: string;
let deps: DoctorDeps;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenflow-doctor-'));
  deps = {
    version: '1.0.0',
    dataDir: join(folder, 'data'),
    cacheDir: join(folder, 'cache'),
    models: new Map([['demo', '/models/demo']]),
    ports: [47_860],
    isInServer: true,
    examineMachine: () => Promise.resolve([]),
  };
  return () => rm(folder, { recursive: true, force: true });
});

async function checkOf(
  name: string,
  changes: Partial<DoctorDeps> = {},
  clients: readonly KnownClient[] | null = [],
): Promise<Check> {
  const checks = await runChecks({ ...deps, ...changes }, clients);
  const found = checks.find((check) => check.name === name);
  if (found === undefined) throw new Error(`There is no check ${name}.`);
  return found;
}

/** The port of a server that answers every request with `body`. */
async function serve(body: string): Promise<number> {
  const server = createServer((_request, response) => void response.end(body));
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('the port', () => {
  test('that nobody uses is free', async () => {
    const server = createPlainServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    expect(await findPortOwner(port)).toEqual({ kind: 'free' });
    expect(await checkOf('companion server', { ports: [port], isInServer: false })).toMatchObject({
      status: 'ok',
      advice: 'Start it with npm start.',
    });
  });

  test('of a companion server is told from its version', async () => {
    const port = await serve('{"name":"tokenflow","version":"0.9.0","protocol":1}');
    expect(await findPortOwner(port)).toEqual({ kind: 'companion-server', version: '0.9.0' });
    expect(await checkOf('companion server', { ports: [port], isInServer: false })).toMatchObject({
      status: 'problem',
      detail: `Version 0.9.0 runs on port ${port}; installed is 1.0.0.`,
    });
    const same = { ports: [port], isInServer: false, version: '0.9.0' };
    expect((await checkOf('companion server', same)).status).toBe('ok');
  });

  test.each(['<html>', '{"name":"other"}', '[]', 'null'])('that answers %s is another program', async (body) => {
    const port = await serve(body);
    const owner = await findPortOwner(port);
    expect(owner.kind).toBe('other');
    if (process.platform === 'linux') {
      expect(owner).toMatchObject({ program: expect.stringContaining(`(process ${process.pid})`) as string });
    }
    const check = await checkOf('companion server', { ports: [port], isInServer: false });
    expect(check).toMatchObject({ status: 'problem', advice: expect.stringContaining('--port') as string });
  });
});

describe('clients', () => {
  test('of another version are a problem', async () => {
    const clients = [
      { name: 'old panel', version: '0.9.0' },
      { name: 'new panel', version: null },
    ];
    expect(await checkOf('paired clients', {}, clients)).toEqual({
      name: 'paired clients',
      status: 'problem',
      detail: 'old panel (0.9.0), new panel (never connected).',
      advice: 'Bring panel and server to the same version; the server has 1.0.0.',
    });
    const fresh = { name: 'new panel', version: null };
    expect((await checkOf('paired clients', {}, [fresh])).status).toBe('ok');
  });

  test('are unknown when no server runs', async () => {
    expect((await checkOf('paired clients', {}, null)).status).toBe('unknown');
  });
});

describe('the machine', () => {
  test.each([
    ['20.19.0', 'ok'],
    ['22.0.0', 'ok'],
    ['20.18.9', 'problem'],
    ['18.20.1', 'problem'],
  ])('with Node %s is %s', (version, status) => {
    expect(checkNode(version).status).toBe(status);
  });

  test('without a model is a problem', async () => {
    expect((await checkOf('models')).status).toBe('ok');
    expect(await checkOf('models', { models: new Map() })).toMatchObject({ status: 'problem' });
  });

  test('with a file where a folder should be is a problem that names the variable', async () => {
    const path = join(folder, 'file');
    await writeFile(path, '');
    expect(await checkFolder('data folder', path, 'TOKENFLOW_DATA')).toMatchObject({
      status: 'problem',
      advice: 'Set TOKENFLOW_DATA to a folder that can be written.',
    });
  });

  test.each([
    ['cpu', true, 'equals the CPU', 'ok'],
    ['cpu', false, 'differs from itself', 'problem'],
    ['cuda', false, 'differs from the CPU by 0.5 (float16, fused operators)', 'problem'],
    ['cuda', false, 'Failed to load shared library', 'unknown'],
  ] as const)('with %s that is right (%s): %s, is %s', async (device, isRight, finding, status) => {
    const tryOut = () => Promise.resolve({ device, isRight, finding, seconds: null });
    expect(await checkDevices([device], tryOut)).toMatchObject([{ name: `device ${device}`, status }]);
  });
});

test('ONNX Runtime is only mentioned when it cannot be loaded', () => {
  expect(checkRuntime()).toEqual([]);
  const failure = 'ONNX Runtime could not be loaded: it is for another processor.';
  expect(checkRuntime(failure)).toMatchObject([{ status: 'problem', detail: failure }]);
});

test('ffmpeg is found, with its version', async () => {
  expect(await checkProgram('ffmpeg')).toMatchObject({
    name: 'ffmpeg',
    status: 'ok',
    detail: expect.stringMatching(/^Version \S+ at .*ffmpeg/) as string,
  });
});

describe('the doctor', () => {
  test('says unknown of a check that fails itself, and goes on', async () => {
    const examineMachine = () => Promise.reject(new Error('no such luck\nat some place'));
    expect(await checkOf('machine', { examineMachine })).toEqual({
      name: 'machine',
      status: 'unknown',
      detail: 'It could not be examined: no such luck',
      advice: null,
    });
  });

  test('examines once for all who ask at the same time', async () => {
    let examined = 0;
    const examineMachine = () => {
      examined++;
      return Promise.resolve([]);
    };
    const examine = createDoctor(() => ({ ...deps, examineMachine }));
    const asker = { name: 'panel', version: '1.0.0' };
    const [first, second] = await Promise.all([examine(asker), examine(asker)]);
    expect(second).toEqual(first);
    expect(examined).toBe(1);
    await examine(asker);
    expect(examined).toBe(2);
  });

  test('tells a client of itself, and of no other that asks at the same time', async () => {
    const examine = createDoctor(() => deps);
    const [first, second] = await Promise.all([
      examine({ name: 'new panel', version: '1.0.0' }),
      examine({ name: 'old panel', version: '0.9.0' }),
    ]);
    expect(first.at(-1)).toMatchObject({ name: 'this client', detail: 'new panel (1.0.0).' });
    expect(JSON.stringify(first)).not.toContain('old panel');
    expect(second.at(-1)).toMatchObject({ status: 'problem', detail: 'old panel (0.9.0).' });
    expect(JSON.stringify(second)).not.toContain('new panel');
  });
});

describe('copies of weights', () => {
  test('are listed and cleared, but for one that is being written', async () => {
    const weights = join(deps.cacheDir, 'weights');
    await mkdir(weights, { recursive: true });
    await writeFile(join(weights, 'abc.safetensors'), '12345');
    await writeFile(join(weights, 'abc.partial'), '123');
    expect(await listKeptFiles(deps)).toEqual({
      inversions: [],
      weights: [{ name: 'abc.safetensors', sizeBytes: 5 }],
      videos: [],
    });
    expect(await clearKeptFiles(deps, 'weights')).toEqual({ count: 1, sizeBytes: 5 });
    expect(await readdir(weights)).toEqual(['abc.partial']);
  });

  test('are none where there is no folder', async () => {
    expect(await clearKeptFiles(deps, 'weights')).toEqual({ count: 0, sizeBytes: 0 });
    expect(await clearKeptFiles(deps, 'inversions')).toEqual({ count: 0, sizeBytes: 0 });
  });
});

test('videos of results are listed and cleared, and nothing else of their jobs', async () => {
  const job = join(deps.dataDir, 'jobs', 'a1b2');
  await mkdir(join(job, 'playback'), { recursive: true });
  await writeFile(join(job, 'result.mov'), '1234');
  await writeFile(join(job, 'playback', 'edit.mp4'), '123');
  await writeFile(join(job, 'playback', '.original.mp4.1.ab.tmp'), '12');
  expect((await listKeptFiles(deps)).videos).toEqual([{ jobId: 'a1b2', name: 'edit.mp4', sizeBytes: 3 }]);
  expect(await clearKeptFiles(deps, 'videos')).toEqual({ count: 1, sizeBytes: 3 });
  expect((await readdir(job, { recursive: true })).sort()).toEqual([
    'playback',
    join('playback', '.original.mp4.1.ab.tmp'),
    'result.mov',
  ]);
});

test('a client hears of no folder where it is', async () => {
  const path = join(deps.dataDir, 'bin', 'ffmpeg');
  const examineMachine = (): Promise<readonly Check[]> =>
    Promise.resolve([{ name: 'ffmpeg', status: 'ok', detail: `Version 6 at ${path}.`, advice: path }]);
  const checks = await createDoctor(() => ({ ...deps, examineMachine }))({
    name: 'panel',
    version: null,
  });
  const text = JSON.stringify(checks);
  expect(text).not.toContain(deps.dataDir);
  expect(text).not.toContain(deps.cacheDir);
  expect(text).toContain('are free for the data folder.');
});
