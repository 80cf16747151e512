// Another machine does the work: client -> the server of this machine -> TLS -> the server there, and back.

import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pairPinned } from '../../companion-server/src/client/pair-pinned.ts';
import { seeCertificate } from '../../companion-server/src/client/pinned-socket.ts';
import { editOverSocket } from '../../companion-server/src/client/edit-over-socket.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { removeRemoteServer, writeRemoteServer } from '../../companion-server/src/relay/remote-server.ts';
import { readRemoteAccess } from '../../companion-server/src/remote-access.ts';
import { createSelfSigned } from '../../companion-server/src/self-signed-certificate.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { startCompanion } from '../companion.ts';
import { testMedia } from '../fixtures/media.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

interface OtherMachine {
  readonly server: RunningServer;
  readonly workspace: Workspace;
  readonly url: string;
}

async function startOtherMachine(): Promise<OtherMachine> {
  const workspace = await createWorkspace();
  const remote = readRemoteAccess({ listen: '127.0.0.1' }, workspace.dataDir);
  const place = { ...workspace, modelName: 'model-there', remote };
  const server = await startCompanion(place, 'copying', { probe: () => Promise.resolve(testMedia) });
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

test.skipIf(process.platform === 'win32')('what opens the other machine is for this user only', async () => {
  const [here, there] = [await createWorkspace(), await startOtherMachine()];
  await connectMachines(here, there);
  expect((await stat(join(here.dataDir, 'remote.json'))).mode & 0o777).toBe(0o600);
});
