// The command line from outside: what it prints, its exit codes, and what it leaves on disk.

import { X509Certificate } from 'node:crypto';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { practiceVocabulary } from '../../protocol/testing/models.ts';
import { runCliProcess, startCli } from './cli-process.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

const known = ['cache', 'clip.mp4', 'model'];

async function newFiles({ folder }: Workspace): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => !known.includes(name)).sort();
}

const edit = ['edit', 'clip.mp4', '--model', 'model', '--prompt'] as const;

describe('edit', () => {
  test('writes the result next to the clip and says where', async () => {
    const workspace = await createWorkspace();
    const { exitCode, stdout, stderr } = await runCliProcess(workspace, [...edit, 'a wolf']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain(join(workspace.folder, 'clip-edited.mov'));
    expect(stdout).toContain('40 frames, 512x512, 20 fps; worked at 256x256 on cpu');
    expect(stdout).toMatch(/upload \d.* s, decode 0.5 s, edit 1.5 s, download \d/);
    expect(stdout).toContain('note: This engine is a fake.');
    expect(stderr).toContain('edit  33 %  step 1/3');
    expect(await newFiles(workspace)).toEqual(['clip-edited.mov']);
    expect(await workspace.leftovers()).toEqual([]);
  });

  test('warns on standard error that a practice model does not know the clip and the words, and edits all the same', async () => {
    const workspace = await createWorkspace();
    await writeFile(join(workspace.modelDir, 'vocabulary.json'), JSON.stringify(practiceVocabulary));
    const args = [...edit, 'a shiny silver ball', '--json', '--out', 'o.mp4'];
    const { exitCode, stdout, stderr } = await runCliProcess(workspace, args);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('{"type":"done"');
    expect(stderr).toContain('Warning: model is a practice model.');
    expect(stderr).toContain('The clip is none of its sample clips');
    expect(stderr).toContain('It has never seen these words: shiny, silver.');
  });

  test('with --json prints one object per line', async () => {
    const workspace = await createWorkspace();
    const args = [...edit, 'a wolf', '--json', '--out', 'o.mp4'];
    const { exitCode, stdout, stderr } = await runCliProcess(workspace, args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects.at(-1)).toMatchObject({
      type: 'done',
      out: join(workspace.folder, 'o.mp4'),
      frames: 40,
    });
    expect(objects.slice(0, -1).every(({ type }) => type === 'progress')).toBe(true);
    expect(objects.map(({ stage }) => stage)).toContain('upload');
  });

  test('uses a server that runs already, by the token in its file', async () => {
    const workspace = await createWorkspace();
    const server = startCli(workspace, ['serve', '--port', '0', '--model', 'model']);
    await server.said('Models: model');
    const tokenFile = join(workspace.dataDir, 'server.json');
    const { mode } = await stat(tokenFile);
    if (process.platform !== 'win32') expect(mode & 0o777).toBe(0o600);
    const { url, token } = JSON.parse(await readFile(tokenFile, 'utf8')) as Record<string, string>;

    const remote = ['edit', 'clip.mp4', '--prompt', 'a wolf', '--server', url ?? ''];
    expect(await runCliProcess(workspace, remote)).toMatchObject({ exitCode: 0 });
    expect(await newFiles(workspace)).toEqual(['clip-edited.mov', 'data']);

    const env = { TOKENFLOW_TOKEN: 'wrong' };
    expect(await runCliProcess(workspace, remote, { env })).toMatchObject({
      exitCode: 11,
      stderr: expect.stringContaining('The token is of no pairing.') as string,
    });

    server.kill('SIGINT');
    const { exitCode, stdout, stderr } = await server.ended;
    expect(exitCode).toBe(0);
    expect(stdout + stderr).not.toContain(token);
    expect(await workspace.leftovers()).toEqual([]);
  });
});

describe('bad input ends with one clear line, its exit code and no partial output', () => {
  test.each([
    ['a clip that is missing', ['edit', 'none.mp4', '--prompt', 'x'], 3, 'There is no clip '],
    ['a folder as clip', ['edit', 'model', '--prompt', 'x'], 3, 'is not a file.'],
    ['an empty clip', ['edit', 'empty.mp4', '--prompt', 'x'], 3, 'has no content.'],
    ['an empty prompt', [...edit, ''], 2, '--prompt is empty; say what the clip should become.'],
    [
      'a prompt of 10,000 characters',
      [...edit, 'x'.repeat(10_000)],
      2,
      '--prompt must have at most 2000 characters, got 10000.',
    ],
    ['no steps', [...edit, 'x', '--steps', '0'], 2, '--steps must be between 1 and 1000, got 0.'],
    ['too much strength', [...edit, 'x', '--strength', '1.4'], 2, '--strength must be between 0 and 1, got 1.4.'],
    [
      'an output folder that is missing',
      [...edit, 'x', '--out', 'none/o.mov'],
      6,
      'cannot be written: its folder does not exist.',
    ],
    [
      'a file as output folder',
      [...edit, 'x', '--out', 'clip.mp4/o.mov'],
      6,
      'cannot be written: its folder is a file.',
    ],
    ['a model that is missing', [...edit, 'x', '--model', 'none'], 4, 'no such folder'],
    ['a model that is none', [...edit, 'x', '--model', '.'], 4, 'model_index.json: there is no such file.'],
    ['an option that is not known', [...edit, 'x', '--promt', 'y'], 2, 'no option --promt.'],
    ['a command that is not known', ['edti'], 2, "There is no command 'edti'."],
    [
      'a server that is not there',
      [...edit, 'x', '--server', 'http://127.0.0.1:1'],
      10,
      'No companion server answers at http://127.0.0.1:1',
    ],
  ])('%s', async (_what, args, expectedExitCode, message) => {
    const workspace = await createWorkspace();
    await writeFile(join(workspace.folder, 'empty.mp4'), '');
    const env = { TOKENFLOW_MODEL: workspace.modelDir, TOKENFLOW_TOKEN: 'token' };
    const { exitCode, stdout, stderr } = await runCliProcess(workspace, args, { env });
    expect({ exitCode, stdout }).toEqual({ exitCode: expectedExitCode, stdout: '' });
    const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(message);
    expect(await newFiles(workspace)).toEqual(['empty.mp4']);
    expect(await workspace.leftovers()).toEqual([]);
  });

  test('the error of the engine ends the command with its exit code and hint', async () => {
    const workspace = await createWorkspace();
    const args = [...edit, 'x', '--json'];
    const { exitCode, stdout } = await runCliProcess(workspace, args, { engine: 'failing' });
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual({
      type: 'error',
      error: {
        code: 'clip-unreadable',
        message: 'Cannot read the clip: the clip: no video',
        hint: 'Use a video.',
        retryable: false,
      },
      exitCode: 3,
    });
    expect(await newFiles(workspace)).toEqual([]);
    expect(await workspace.leftovers()).toEqual([]);
  });
});

test('--help names every option and every exit code', async () => {
  const workspace = await createWorkspace();
  const { exitCode, stdout } = await runCliProcess(workspace, ['edit', '--help']);
  expect(exitCode).toBe(0);
  for (const name of ['--prompt TEXT', '--out FILE', 'engine-crashed', 'canceled by Ctrl+C']) {
    expect(stdout).toContain(name);
  }
});

describe('pair', () => {
  test('makes a code with which a client gets a token, lists it and ends it', async () => {
    const workspace = await createWorkspace();
    const server = startCli(workspace, ['serve', '--port', '0', '--model', 'model']);
    await server.said('Models: model');
    const nobody = await runCliProcess(workspace, ['pair', '--list']);
    expect(nobody).toMatchObject({ exitCode: 0, stdout: 'Nobody is paired.\n' });
    const made = await runCliProcess(workspace, ['pair', '--json']);
    expect(JSON.parse(made.stdout)).toMatchObject({
      code: expect.stringMatching(/^\w{4}-\w{4}$/) as string,
      pageUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/server\/#[0-9a-f]{64}$/) as string,
    });
    expect(await runCliProcess(workspace, ['pair', '--revoke', 'abc'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("The id 'abc' is of no pairing.") as string,
    });
    server.kill('SIGTERM');
    expect((await server.ended).exitCode).toBe(0);
  });

  test('says so when no server runs', async () => {
    expect(await runCliProcess(await createWorkspace(), ['pair'])).toMatchObject({
      exitCode: 10,
      stderr: 'error: No companion server of this user runs.\n  Start it with npm start.\n',
    });
  });
});

describe('what the user asks', () => {
  test('its jobs and its log', async () => {
    const workspace = await createWorkspace();
    const server = startCli(workspace, ['serve', '--port', '0', '--model', 'model']);
    await server.said('Models: model');
    const url = JSON.parse(await readFile(join(workspace.dataDir, 'server.json'), 'utf8')) as {
      readonly url: string;
      readonly token: string;
    };
    const edited = await runCliProcess(workspace, [
      ...['edit', 'clip.mp4', '--prompt', 'a secret wolf', '--server', url.url],
    ]);
    expect(edited.exitCode).toBe(0);

    expect((await runCliProcess(workspace, ['jobs', '--json'])).stdout).toMatch(/^\{"jobs":\[/);
    const logged = await runCliProcess(workspace, ['logs']);
    expect(logged.stdout).toMatch(/info {2}The server listens\. port=\d+/);
    for (const secret of ['secret wolf', 'clip.mp4', url.token]) {
      expect(logged.stdout).not.toContain(secret);
    }
    const follower = startCli(workspace, ['logs', '--follow', '--json']);
    await follower.said('The server listens.');
    server.kill('SIGTERM');
    await follower.said('The server stops.');
    follower.kill('SIGINT');
    expect((await follower.ended).exitCode).toBe(0);
    expect((await server.ended).exitCode).toBe(0);
  });

  test('the health of the machine', async () => {
    const doctor = await runCliProcess(await createWorkspace(), ['doctor', '--json']);
    const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; status: string }[] };
    const found = Object.fromEntries(checks.map(({ name, status }) => [name, status]));
    expect(found).toMatchObject({ ffmpeg: 'ok', 'data folder': 'ok', 'device cpu': 'ok' });
  });

  test('serving other machines with half of a certificate is refused', async () => {
    const workspace = await createWorkspace();
    const args = ['serve', '--port', '0', '--model', 'model', '--listen', '0.0.0.0', '--tls-cert', 'none.pem'];
    expect(await runCliProcess(workspace, args)).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('A certificate needs its key; missing: --tls-key.') as string,
    });
  });

  test('to serve other machines, with a certificate of its own, whose key is in no log', async () => {
    const workspace = await createWorkspace();
    const server = startCli(workspace, ['serve', '--port', '0', '--model', 'model', '--listen', '127.0.0.1']);
    await server.said('Models: model');
    server.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await server.ended;
    expect(exitCode).toBe(0);
    const certificate = new X509Certificate(await readFile(join(workspace.dataDir, 'tls', 'certificate.pem'), 'utf8'));
    expect(stdout).toContain(`Fingerprint of its certificate: ${certificate.fingerprint256}`);
    expect(stdout + stderr).not.toContain('PRIVATE KEY');
  });
});
