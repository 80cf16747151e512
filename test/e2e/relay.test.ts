// Another machine does the work: client -> the server of this machine -> TLS -> the server there, and back.

import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pairPinned } from '../../companion-server/src/client/pair-pinned.ts';
import { seeCertificate } from '../../companion-server/src/client/pinned-socket.ts';
import { editOverSocket } from '../../companion-server/src/client/edit-over-socket.ts';
import { uploadClip } from '../../companion-server/src/client/transfer.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import {
  readRemoteServer,
  removeRemoteServer,
  writeRemoteServer,
} from '../../companion-server/src/relay/remote-server.ts';
import { readRemoteAccess } from '../../companion-server/src/remote-access.ts';
import { createSelfSigned } from '../../companion-server/src/self-signed-certificate.ts';
import { watchJob } from '../../protocol/client/watch-job.ts';
import { isOutcome } from '../../protocol/job.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { startCompanion } from '../companion.ts';
import { testMedia } from '../fixtures/media.ts';
import { runCliProcess } from './cli-process.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

interface OtherMachine {
  readonly server: RunningServer;
  readonly workspace: Workspace;
  readonly url: string;
}

/** A machine that takes any bytes for a video unless it looks into clips. */
async function startOtherMachine({ looksIntoClips = false } = {}): Promise<OtherMachine> {
  const workspace = await createWorkspace();
  const remote = readRemoteAccess({ listen: '127.0.0.1' }, workspace.dataDir);
  const place = { ...workspace, modelName: 'model-there', remote };
  const server = await startCompanion(
    place,
    'copying',
    looksIntoClips ? {} : { probe: () => Promise.resolve(testMedia) },
  );
  onTestFinished(() => server.close());
  return { server, workspace, url: server.remoteUrl ?? '' };
}

/** As `connect` does it; `certificate` to pin another one than the machine shows. */
async function connectMachines(here: Workspace, there: OtherMachine, certificate?: string): Promise<string> {
  const { url, server } = there;
  const seen = await seeCertificate('127.0.0.1', Number(new URL(url).port));
  const token = await pairPinned({ url, certificate: seen.certificate, code: server.pairingCode, version: '0' });
  await mkdir(here.dataDir, { recursive: true, mode: 0o700 });
  await writeRemoteServer(here.dataDir, { url, token, certificate: certificate ?? seen.certificate });
  return seen.fingerprint;
}

const clipsIn = ({ dataDir }: Workspace): Promise<string[]> => readdir(join(dataDir, 'clips')).catch(() => []);

test('a whole edit is done there, and its result is a file here', async () => {
  const [here, there] = [await createWorkspace(), await startOtherMachine()];
  const fingerprint = await connectMachines(here, there);
  expect(fingerprint).toBe(readRemoteAccess({ listen: '127.0.0.1' }, there.workspace.dataDir)?.fingerprint);
  const local = await startTestServer(here);
  const client = await connectTo(local);
  expect(client.link).toMatchObject({ server: { models: [{ id: 'model-there' }] } });

  const outPath = join(here.folder, 'out.mov');
  const settings = { ...defaultSettings(), prompt: 'a wolf' };
  const wish = { settings, model: null, device: 'cpu', onProgress: () => undefined } as const;
  await editOverSocket(client, { ...wish, clipPath: here.clipPath, outPath });
  expect(here.clipBytes.equals(await readFile(outPath))).toBe(true);
  expect(await clipsIn(here)).toEqual([]);

  await removeRemoteServer(here.dataDir);
  const again = await connectTo(local);
  expect(again.link).toMatchObject({ server: { models: [{ id: 'model' }] } });
});

test('a machine with another certificate than the one that was compared hears nothing', async () => {
  const [here, there] = [await createWorkspace(), await startOtherMachine()];
  await connectMachines(here, there, createSelfSigned('impostor').certificate);
  const local = await startTestServer(here);
  await expect(connectTo(local)).rejects.toMatchObject({
    code: 'connection-lost',
    message: expect.stringContaining('which does the computing, cannot be used') as string,
  });
});

test('a machine that goes is told by its name, and not replaced by this one in silence', async () => {
  const [here, there] = [await createWorkspace(), await startOtherMachine()];
  await connectMachines(here, there);
  const local = await startTestServer(here);
  const client = await connectTo(local);
  await there.server.close();
  expect(String(await client.gaveUp)).toContain(`the machine ${new URL(there.url).host} is gone`);
  await expect(connectTo(local)).rejects.toMatchObject({
    code: 'connection-lost',
    hint: 'Start the server there, or compute here again with npm run disconnect.',
  });
});

test('a pairing that was ended there is told as such', async () => {
  const [here, there] = [await createWorkspace(), await startOtherMachine()];
  await connectMachines(here, there);
  const ask = (path: string, method: string) =>
    fetch(new URL(path, there.server.url), {
      method,
      headers: { authorization: `Bearer ${there.server.token}`, 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
  const { pairings } = (await (await ask('/pairing', 'GET')).json()) as { pairings: { clientId: string }[] };
  await ask(`/pairing/${pairings[0]?.clientId ?? ''}/revoke`, 'POST');
  const local = await startTestServer(here);
  await expect(connectTo(local)).rejects.toMatchObject({
    code: 'connection-lost',
    message: expect.stringContaining('The other machine does not take this one') as string,
  });
});

test('connect pairs only with the certificate that was named, and disconnect forgets it', async () => {
  const [here, there] = [await createWorkspace(), await startOtherMachine()];
  const { host, port } = new URL(there.url);
  const { fingerprint } = await seeCertificate('127.0.0.1', Number(port));
  const code = there.server.pairingCode;
  const connect = (named: string) => runCliProcess(here, ['connect', host, '--code', code, '--fingerprint', named]);
  expect(await connect('AB:CD')).toMatchObject({
    exitCode: 11,
    stderr: expect.stringContaining(`another fingerprint: ${fingerprint}`) as string,
  });
  expect(await runCliProcess(here, ['connect', host])).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await runCliProcess(here, ['disconnect'])).toMatchObject({ stdout: 'No other machine was connected.\n' });
  expect(await connect(fingerprint)).toMatchObject({ exitCode: 0, stderr: '' });
  const client = await connectTo(await startTestServer(here));
  expect(client.link).toMatchObject({ server: { models: [{ id: 'model-there' }] } });
  expect(await runCliProcess(here, ['disconnect'])).toMatchObject({ stdout: 'This machine does the work again.\n' });
});

describe('files of the other machine', () => {
  /** A job that was done there, for a client of this machine. */
  async function finishThere() {
    const [here, there] = [await createWorkspace(), await startOtherMachine({ looksIntoClips: true })];
    await connectMachines(here, there);
    const local = await startTestServer(here);
    const client = await connectTo(local);
    const file = await makeClip(join(here.folder, 'c.mov'), [...testPicture('64x64', '20', 10), '-c:v', 'prores_ks']);
    const { clipId } = await uploadClip(client, file, { onProgress: () => undefined });
    const settings = { ...defaultSettings(), prompt: 'a wolf' };
    const wish = { key: 'a-key-of-a-job', clipId, settings, model: null, device: 'cpu', priority: 0 } as const;
    const { jobId } = await client.createJob(wish);
    const job = await watchJob(client, jobId, { until: ({ state }) => isOutcome(state) });
    expect(job.state).toBe('done');
    const linkTo = async (token: string): Promise<Response> =>
      fetch(new URL(`/results/${jobId}/link`, local.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
      });
    return { here, there, local, client, jobId, file, linkTo };
  }

  test('are played here whole and in ranges, as videos and as the result', async () => {
    const { there, local, client, jobId, file, linkTo } = await finishThere();
    const { url } = await client.playback(jobId, 'edit');
    expect(new URL(url).origin).toBe(local.url);
    const made = await readFile(join(there.workspace.dataDir, 'jobs', jobId, 'playback', 'edit.mp4'));
    const all = await fetch(url);
    expect([all.status, all.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    expect(made.equals(Buffer.from(await all.arrayBuffer()))).toBe(true);
    const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${made.length}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(made.subarray(10, 20));
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(made.length)]);
    expect((await fetch(url, { headers: { range: `bytes=${made.length}-` } })).status).toBe(416);
    const known = { 'if-none-match': all.headers.get('etag') ?? '' };
    expect((await fetch(url, { headers: known })).status).toBe(304);

    const link = await linkTo(local.token);
    const { url: result } = (await link.json()) as { url: string };
    const answer = await fetch(new URL(result, local.url));
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="tokenflow-${jobId.slice(0, 8)}.mov"`);
    expect((await readFile(file)).equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
  });

  test('are opened by the links that passed here, and by nothing else', async () => {
    const { here, there, local, client, jobId, linkTo } = await finishThere();
    const { url } = await client.playback(jobId, 'edit');
    const statusOf = async (address: string): Promise<number> => (await fetch(address)).status;
    expect(await statusOf(url.replace('/edit?', '/original?'))).toBe(401);
    expect(await statusOf(`${url}&more=1`)).toBe(401);
    expect((await linkTo('f'.repeat(64))).status).toBe(401);
    // A link that works there, and that no client here was given.
    const { token } = (await readRemoteServer(here.dataDir)) ?? { token: '' };
    const asked = await fetch(new URL(`/results/${jobId}/link`, there.server.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{}',
    });
    const { url: link } = (await asked.json()) as { url: string };
    expect(await statusOf(`${there.server.url}${link}`)).toBe(200);
    expect(await statusOf(`${local.url}${link}`)).toBe(401);

    await removeRemoteServer(here.dataDir);
    expect(await statusOf(url)).toBe(401);
  });

  test('are told as missing when the other machine has gone', async () => {
    const { there, client, jobId } = await finishThere();
    const { url } = await client.playback(jobId, 'edit');
    await there.server.close();
    const answer = await fetch(url);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: { code: 'connection-lost' } });
  });
});

test.skipIf(process.platform === 'win32')('what opens the other machine is for this user only', async () => {
  const [here, there] = [await createWorkspace(), await startOtherMachine()];
  await connectMachines(here, there);
  expect((await stat(join(here.dataDir, 'remote.json'))).mode & 0o777).toBe(0o600);
});
