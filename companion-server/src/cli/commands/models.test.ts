import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkpointFiles, startFakeHub, type FakeHub } from '../../models/testing/fake-hub.ts';
import { madeFiles, makeHome, putRepository } from '../../models/library/testing/made-places.ts';
import { createModelsCommand } from './models.ts';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { createPullReporter, formatPull } from '../pull-reporter.ts';
import { createRateMeter } from '../../models/rate-meter.ts';
import { runCli } from '../run.ts';

let dataDir: string;
let hub: FakeHub;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-cli-models-'));
  hub = await startFakeHub(checkpointFiles);
});

afterEach(async () => {
  await hub.close();
  await rm(dataDir, { recursive: true });
});

interface Run {
  readonly answer?: string;
  readonly isTTY?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly kind?: 'checkpoint' | 'lora';
}

async function run(args: readonly string[], { answer, isTTY = false, env = {}, kind = 'checkpoint' }: Run = {}) {
  const files = [...hub.files.keys()].map((path) => ({ path, sizeBytes: null, sha256: null }));
  const catalog = [
    {
      id: 'some-model',
      title: 'Some model',
      kind,
      family: 'Stable Diffusion 1.x',
      goodFor: 'Tests.',
      licence: { name: 'MIT', url: 'https://example.org/licence' },
      memoryGigabytes: 1,
      hub: { repository: hub.repository, revision: hub.revision, downloadGigabytes: 0.1, files },
    },
  ];
  const written = { stdout: '', stderr: '' };
  const questions: string[] = [];
  const output = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => void (written[name] += text),
    isTTY,
    columns: 80,
  });
  const exitCode = await runCli(['models', ...args], [createModelsCommand(() => catalog)], {
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: { TOKENFLOW_DATA: dataDir, TOKENFLOW_CACHE: dataDir, TOKENFLOW_LIBRARY: 'off', HF_ENDPOINT: hub.url, ...env },
    signal: new AbortController().signal,
    startServer: () => Promise.reject(new Error('no server is needed')),
    startWorker: () => Promise.reject(new Error('no worker is needed')),
    ...(answer !== undefined && {
      ask: (question: string) => {
        questions.push(question);
        return Promise.resolve(answer);
      },
    }),
  });
  return { exitCode, questions, ...written };
}

describe('models', () => {
  test('lists without being told to', async () => {
    const { exitCode, stdout } = await run([]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^demo +comes with the program/);
    expect(stdout).toContain(
      'some-model                 can be downloaded, 0.1 GB; Stable Diffusion 1.x; MIT\n    Tests.\n',
    );
  });

  test('shows a download that was begun', async () => {
    hub.files.set('unet/config.json', Buffer.from('x'));
    const args = ['pull', 'some-model', '--accept-licence'];
    hub.answer = ({ path, method }, _request, response) => {
      if (method === 'HEAD' || path !== 'unet/config.json') return false;
      response.writeHead(404).end();
      return true;
    };
    expect((await run(args)).exitCode).toBe(4);
    expect((await run([])).stdout).toContain('some-model                 download begun, 0.1 GB');
  });

  test.each([
    [['pul'], "models cannot 'pul'.", 'Did you mean pull?'],
    [['banana'], "models cannot 'banana'.", 'It can list, pull, verify, remove, add, folders.'],
    [['pull'], 'models pull needs the id of a model.', 'npm run models -- pull stable-diffusion-1.5'],
    [['add'], 'models add needs a folder or file.', 'npm run models -- add /path/to/checkpoint'],
    [['pull', 'a', 'b'], "models takes one thing at a time, got 'b' as well.", 'quotation'],
    [['list', 'a'], "models takes one thing at a time, got 'a' as well.", 'quotation'],
  ])('%j is refused', async (args, message, hint) => {
    const { exitCode, stderr } = await run(args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  test.each([
    [['pull', 'some-modle'], "The catalogue has no model 'some-modle'.", 'Did you mean some-model?'],
    [['pull', 'runwayml/stable-diffusion-v1-5'], 'The catalogue has no model', 'npm run models -- add DIR'],
    [['verify', 'none'], 'There is no model none on this machine.', 'There are demo.'],
    [['remove', 'none'], 'There is no model none to remove.', 'See npm run models.'],
    [['add', '/nowhere'], '/nowhere: there is no such file', 'Check the path'],
  ])('%j names what is missing', async (args, message, hint) => {
    const { exitCode, stderr } = await run(args);
    expect(exitCode).toBe(4);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });
});

test('verify leaves a terminal clean', async () => {
  const made = await makeTinyCheckpoint(join(dataDir, 'made'));
  hub.files.clear();
  for (const entry of await readdir(made, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) hub.files.set(relative(made, path).replaceAll('\\', '/'), await readFile(path));
  }
  await run(['pull', 'some-model', '--accept-licence']);
  const { stdout, stderr } = await run(['verify', 'some-model'], { isTTY: true });
  expect(stdout).toMatch(/^some-model: \d+ files right\n$/);
  expect(stderr).toContain('some-model 100 %');
  expect(stderr.endsWith('\r\x1b[K')).toBe(true);
});

describe('the licence', () => {
  test.each(['yes', 'y', ' YES '])('is accepted by %j', async (answer) => {
    const { exitCode, questions, stderr } = await run(['pull', 'some-model'], { answer });
    expect({ exitCode, questions: questions.length }).toEqual({ exitCode: 0, questions: 1 });
    expect(stderr).toContain('Some model comes under the MIT licence: https://example.org/licence');
  });

  test.each(['no', '', 'yesterday'])('is not accepted by %j', async (answer) => {
    const { exitCode, stderr } = await run(['pull', 'some-model'], { answer });
    expect(exitCode).toBe(4);
    expect(stderr).toContain('The licence has not been accepted.');
    expect(hub.log).toEqual([]);
  });

  test('is asked about once: not again for a model that is there', async () => {
    await run(['pull', 'some-model', '--accept-licence']);
    expect((await run(['pull', 'some-model'], { answer: 'no' })).questions).toEqual([]);
  });

  test('is not asked about where only machines read', async () => {
    const { exitCode, stdout } = await run(['pull', 'some-model', '--json'], { answer: 'yes' });
    expect(exitCode).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'licence-not-accepted' } });
  });
});

describe('the progress of a pull', () => {
  test('is one line on a terminal, which is gone at the end', async () => {
    const { stderr, stdout } = await run(['pull', 'some-model', '--accept-licence'], { isTTY: true });
    expect(stderr).not.toContain('\n');
    expect(stderr).toMatch(/\r\x1b\[K[^\r]*100 %[^\r]*\r\x1b\[K$/);
    expect(stdout).toMatch(/^Some model is in .*\. Use it with --model some-model\.\n$/);
  });

  test('says how much, how fast and how long', () => {
    const progress = { path: 'unet/x.safetensors', doneBytes: 0.5e9, totalBytes: 2e9 };
    expect(formatPull('Some model', progress, 10e6)).toBe(
      'Some model  25 %  0.50 of 2.00 GB  10.0 MB/s  2:30 left  unet/x.safetensors',
    );
    expect(formatPull('Some model', { ...progress, totalBytes: 9e8 }, null)).toContain('500.00 of 900.00 MB');
  });

  test('says that the hub is asked again', () => {
    let written = '';
    const stderr = { write: (text: string) => void (written += text), isTTY: true, columns: 80 };
    const context = { stderr, stdout: stderr } as never;
    const reporter = createPullReporter({ context, isJson: false }, 'Some model', () => 0);
    reporter.retry('The connection to x failed: reset.', 1_400);
    expect(written).toBe('The connection to x failed: reset. Trying again in 2 s.\n');
  });
});

describe('the rate', () => {
  test('is that of the last seconds', () => {
    const meter = createRateMeter();
    expect(meter(1_000, 0)).toBeNull();
    expect(meter(1_100, 100)).toBeNull();
    expect(meter(2_000, 1_000)).toBeCloseTo(1_000);
    let rate: number | null = null;
    for (let second = 2; second <= 20; second++) rate = meter(2_000 + (second - 1) * 5_000, second * 1_000);
    expect(rate).toBeCloseTo(5_000);
  });

  test('begins anew when what is there was thrown away', () => {
    const meter = createRateMeter();
    meter(5_000, 0);
    expect(meter(9_000, 1_000)).toBeCloseTo(4_000);
    expect(meter(0, 1_100)).toBeNull();
    expect(meter(1_000, 2_100)).toBeCloseTo(1_000);
  });
});

describe('the models of other programs', () => {
  /** A home with ComfyUI and a cache of Hugging Face, and the environment of a user who lives there. */
  async function scene() {
    const home = await makeHome();
    await home.put({
      'ComfyUI/models/checkpoints/old.ckpt': 'pickle',
      'ComfyUI/models/loras/grain.safetensors': madeFiles.lora,
      'disk/own/b.safetensors': madeFiles.lora,
    });
    await putRepository(home, 'someone/film-model', checkpointFiles);
    const env = { TOKENFLOW_LIBRARY: 'on', HOME: home.home, USERPROFILE: home.home };
    return { home, at: (args: readonly string[]) => run(args, { env }) };
  }

  test('are listed as a table for each program, with the reason where one cannot be used', async () => {
    const { at, home } = await scene();
    const { exitCode, stdout } = await at(['list']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\nHugging Face cache: models\n {2}someone\/film-model +\d+ KB\n/);
    expect(stdout).toMatch(/\nComfyUI: models\n {2}old +1 KB {2}models\/checkpoints\n {6}It is a pickle/);
    expect(stdout).toMatch(/\nComfyUI: LoRAs\n {2}grain +1 KB {2}models\/loras\n/);
    const json = (await at(['--json'])).stdout.trimEnd().split('\n');
    const found = json.map((line) => JSON.parse(line) as { state?: string; id: string; type: string; path: string });
    expect(found.filter(({ state }) => state === 'found')).toMatchObject([
      { type: 'model', id: 'someone/film-model', source: 'hub', problem: null },
      { type: 'model', id: 'old', source: 'comfyui', folder: 'models/checkpoints' },
      { type: 'lora', id: 'grain', path: home.path('ComfyUI/models/loras/grain.safetensors') },
    ]);
  });

  test('in an added folder are listed until it is forgotten', async () => {
    const { at, home } = await scene();
    const dir = home.path('disk/own');
    expect((await at(['folders'])).stdout).toBe('No folder was added. Add one: npm run models -- folders add DIR\n');
    expect((await at(['folders', 'add', dir])).stdout).toBe(`${dir} is looked into. Nothing is copied.\n`);
    const comfy = home.path('ComfyUI');
    expect((await at(['folders', 'add', comfy])).stdout).toContain('is looked into as a folder of ComfyUI.');
    expect((await at(['folders', 'list'])).stdout).toBe(`${dir}\n${comfy}\n`);
    expect((await at([])).stdout).toContain('\nown: LoRAs\n  b ');
    expect((await at(['folders', 'remove', dir])).stdout).toContain('is forgotten; it is as it was.');
    expect((await at([])).stdout).not.toContain('own: LoRAs');
  });

  test.each([
    [['folders', 'ad'], "models folders cannot 'ad'.", 'Did you mean add?'],
    [['folders', 'add'], 'models folders add needs a folder.', '/path/to/ComfyUI'],
    [['folders', 'add', '/nowhere'], 'There is no folder', 'npm run models -- add PATH'],
    [['folders', 'remove', '/nowhere'], 'was not added.', 'No folder was added.'],
    [['folders', 'list', 'x'], "models folders list takes nothing, got 'x'.", ''],
  ])('%j is refused', async (args, message, hint) => {
    const { at } = await scene();
    const { exitCode, stderr } = await at(args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });
});

test('a LoRA of the catalogue is pulled into its own folder, listed and removed', async () => {
  const lora = new Map([['film.safetensors', Buffer.from(madeFiles.lora)]]);
  hub.files.clear();
  for (const [name, bytes] of lora) hub.files.set(name, bytes);
  const args = ['pull', 'some-model', '--accept-licence'];
  expect((await run(args, { kind: 'lora' })).stdout).toContain(join(dataDir, 'models', 'loras', 'some-model'));
  const { stdout } = await run(['list'], { kind: 'lora' });
  expect(stdout).toMatch(/some-model +on this machine; Stable Diffusion 1\.x; MIT/);
  expect(stdout).toMatch(/Downloaded: LoRAs\n {2}some-model /);
  expect((await run(args, { kind: 'lora' })).stdout).toContain('is there already');
  expect((await run(['remove', 'some-model'], { kind: 'lora' })).stdout).toBe('some-model is deleted.\n');
  expect((await run(['list'], { kind: 'lora' })).stdout).toMatch(/some-model +can be downloaded/);
});
