// `models` from outside, as a process, against a hub on this machine.

import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startFakeHub, type FakeHub } from '../../companion-server/src/models/testing/fake-hub.ts';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { runCliProcess, startCli, type CliEnd, type CliProcess } from './cli-process.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

const unet = 'unet/diffusion_pytorch_model.safetensors';

interface Scene {
  readonly workspace: Workspace;
  readonly hub: FakeHub;
  /** Where the pulled model will be. */
  readonly dir: string;
  readonly start: (args: readonly string[]) => CliProcess;
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<CliEnd>;
}

/** A hub with a tiny checkpoint, and a catalogue that knows it as `tiny`. */
async function createScene(): Promise<Scene> {
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
  const model = {
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
  const catalog = join(workspace.folder, 'catalog.json');
  await writeFile(catalog, JSON.stringify({ models: [model] }));
  const env = { HF_ENDPOINT: hub.url, TEST_CATALOG: catalog };
  return {
    workspace,
    hub,
    dir: join(workspace.dataDir, 'models', 'tiny'),
    start: (args) => startCli(workspace, args, { env }),
    run: (args, more) => runCliProcess(workspace, args, { env: { ...env, ...more } }),
  };
}

/** The storage sends half of the largest file, and then nothing, until the returned function is called. */
function holdHalfway(hub: FakeHub): () => void {
  hub.answer = (entry, _request, response) => {
    if (entry.where !== 'storage' || entry.path !== unet) return false;
    const bytes = hub.files.get(unet) ?? new Uint8Array();
    response.writeHead(200, { etag: '"held"', 'content-length': bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2));
    return true;
  };
  return () => {
    hub.answer = (entry, _request, response) => {
      if (entry.where !== 'storage' || entry.path !== unet) return false;
      const bytes = hub.files.get(unet) ?? new Uint8Array();
      const start = Number(/^bytes=(\d+)-$/.exec(entry.headers.range ?? '')?.[1] ?? 0);
      entry.start = start;
      response.writeHead(start > 0 ? 206 : 200, {
        etag: '"held"',
        'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
      });
      response.end(bytes.subarray(start));
      return true;
    };
  };
}

test('a model comes, is used by its name, is checked, and goes', async () => {
  const { workspace, run, dir } = await createScene();
  const pulled = await run(['models', 'pull', 'tiny', '--accept-licence']);
  expect(pulled).toMatchObject({ exitCode: 0 });
  expect(pulled.stdout).toBe(`Tiny is in ${dir}. Use it with --model tiny.\n`);
  expect(pulled.stderr).toMatch(/Tiny 100 % {2}\d\.\d\d of \d\.\d\d MB/);
  expect(await run(['models', 'pull', 'tiny'])).toMatchObject({
    exitCode: 0,
    stdout: `Tiny is there already, in ${dir}.\n`,
  });

  const listed = await run(['models', '--json']);
  const lines = listed.stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { id: 'demo', state: 'embedded' },
    { id: 'tiny', state: 'present', dir, title: 'Tiny' },
  ]);

  const edit = ['edit', 'clip.mp4', '--prompt', 'a wolf', '--model', 'tiny'];
  expect(await run(edit)).toMatchObject({ exitCode: 0 });
  expect(existsSync(join(workspace.folder, 'clip-edited.mov'))).toBe(true);

  expect((await run(['models', 'verify', 'tiny'])).stdout).toMatch(/^tiny: \d+ files right\n$/);
  await writeFile(join(dir, 'tokenizer', 'merges.txt'), 'something else');
  const verified = await run(['models', 'verify', 'tiny']);
  expect(verified).toMatchObject({ exitCode: 4 });
  expect(verified.stdout).toContain('merges.txt: its SHA-256 is');

  expect(await run(['models', 'remove', 'tiny'])).toMatchObject({
    exitCode: 0,
    stdout: 'tiny is deleted.\n',
  });
  expect(await run(edit)).toMatchObject({ exitCode: 4 });
});

test('a folder is added where it lies, and forgotten', async () => {
  const { workspace, run } = await createScene();
  const made = join(workspace.folder, 'made');
  expect(await run(['models', 'add', 'made', '--name', 'mine'])).toMatchObject({
    exitCode: 0,
    stdout: 'mine is added. Use it with --model mine.\n',
  });
  const server = startCli(workspace, ['serve', '--port', '0', '--model', 'mine']);
  await server.said('Models: mine, demo');
  server.kill('SIGINT');
  await server.ended;
  expect(await run(['models', 'remove', 'mine'])).toMatchObject({
    stdout: 'mine is forgotten; its folder is as it was.\n',
  });
  expect(existsSync(join(made, 'model_index.json'))).toBe(true);
});

test('no licence is accepted for a user who cannot be asked', async () => {
  const { hub, run, dir } = await createScene();
  const { exitCode, stderr } = await run(['models', 'pull', 'tiny']);
  expect(exitCode).toBe(4);
  expect(stderr).toContain('Tiny comes under the MIT licence: https://example.org/licence.');
  expect(stderr).toContain('npm run models -- pull tiny --accept-licence');
  expect(hub.log).toEqual([]);
  expect(existsSync(dir)).toBe(false);
});

test.each([
  ['SIGINT', 130],
  ['SIGKILL', null],
] as const)('%s in the middle: the same command goes on from there', async (signal, exitCode) => {
  const { workspace, hub, start, run, dir } = await createScene();
  const release = holdHalfway(hub);
  const args = ['models', 'pull', 'tiny', '--accept-licence'];
  const first = start(args);
  await first.said(unet);
  first.kill(signal);
  const end = await first.ended;
  expect(end.exitCode).toBe(exitCode);
  if (signal === 'SIGINT') expect(end.stderr).toContain('Canceled. What has been downloaded is kept');
  expect(existsSync(dir)).toBe(false);
  const part = join(workspace.dataDir, 'models', '.pulling', 'tiny', `${unet}.part`);
  const { size } = await stat(part);
  expect(size).toBeGreaterThan(0);

  release();
  hub.log.length = 0;
  expect(await run(args)).toMatchObject({ exitCode: 0 });
  const requests = hub.log.filter(({ method, path }) => method === 'GET' && path === unet);
  expect(requests.at(-1)).toMatchObject({ where: 'storage', start: size });
  for (const [path, bytes] of hub.files) {
    expect((await readFile(join(dir, path))).equals(bytes), path).toBe(true);
  }
});

test('a gated repository says what to do, and the token stays out of sight', async () => {
  const { hub, run } = await createScene();
  hub.answer = (_entry, _request, response) => {
    response.writeHead(403, { 'x-error-code': 'GatedRepo' }).end();
    return true;
  };
  const args = ['models', 'pull', 'tiny', '--accept-licence'];
  const without = await run(args);
  expect(without.exitCode).toBe(4);
  expect(without.stderr).toContain('set HF_TOKEN to it');
  const withToken = await run([...args, '--json'], { HF_TOKEN: 'hf_secret' });
  const { error } = JSON.parse(withToken.stdout) as { error: { code: string; hint: string } };
  expect(error).toMatchObject({ code: 'model-gated' });
  expect(error.hint).toContain('HF_TOKEN is set');
  expect(withToken.stdout + withToken.stderr).not.toContain('hf_secret');
});
