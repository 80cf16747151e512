// The panel's own client, with the socket that it uses in UXP and browsers, and a real companion server.

import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { createClient, type Client } from '../../protocol/client/client.ts';
import { panelTiming } from '../../protocol/client/timing.ts';
import { CanceledError } from '../../protocol/errors.ts';
import { webPlatform } from '../../plugin/src/client/web-platform.ts';
import { startTestServer } from './test-server.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

afterEach(() => vi.unstubAllGlobals());

function hears(client: Client, isThere: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isThere()) resolve();
    };
    client.onLink(look);
    look();
  });
}

/** A panel that has paired with the server, and its clip there. */
async function openPanel(workspace: Workspace, engineName?: string) {
  vi.stubGlobal('WebSocket', WebSocket);
  const server = await startTestServer(workspace, engineName);
  let token: string | null = null;
  const client = createClient({
    server: server.url,
    platform: webPlatform,
    timing: panelTiming,
    client: { name: 'panel', version: '0' },
    tokens: {
      read: () => Promise.resolve(token),
      write(next) {
        token = next;
        return Promise.resolve();
      },
    },
  });
  client.start();
  onTestFinished(() => client.stop());
  await hears(client, () => client.link.name === 'unpaired');
  await client.pair(server.pairingCode);
  expect(client.link.name).toBe('online');

  const { clipBytes } = workspace;
  const { clipId } = await client.upload(
    {
      sizeBytes: clipBytes.length,
      extension: 'mp4',
      read: (offset, length) => Promise.resolve(Uint8Array.from(clipBytes.subarray(offset, offset + length))),
    },
    { uploadId: null },
  );
  return { client, clipId };
}

test('pairs by the code, sends a clip, has it edited and fetches the result', async () => {
  const workspace = await createWorkspace();
  const { clipBytes } = workspace;
  const { client, clipId } = await openPanel(workspace);
  const done = new Promise<void>((resolve) =>
    client.onJobs({
      onJob: ({ state }) => state === 'done' && resolve(),
      onProgress: () => undefined,
    }),
  );
  const settings = { ...defaultSettings(), prompt: 'a wolf' };
  const wish = { clipId, settings, model: null, device: 'auto' } as const;
  const { jobId } = await client.createJob({ ...wish, key: 'panel-client-test', priority: 0 });
  await done;

  const pieces: Uint8Array[] = [];
  let receivedBytes = 0;
  await client.download(jobId, {
    get receivedBytes() {
      return receivedBytes;
    },
    write(_offset, bytes) {
      pieces.push(Uint8Array.from(bytes));
      receivedBytes += bytes.length;
      return Promise.resolve();
    },
    read: () => Promise.reject(new Error('Nothing was there before.')),
  });
  expect(Buffer.concat(pieces).equals(clipBytes)).toBe(true);
});

test('a second estimate ends the first on the server, which answers it for the edit and for its preview', async () => {
  const { client, clipId } = await openPanel(await createWorkspace(), 'estimating-slowly');
  const ask = (prompt: string) =>
    client.estimate({ clipId, settings: { ...defaultSettings(), prompt }, model: null, device: 'auto' });
  const older = ask('endless');
  older.catch(() => undefined);
  const estimate = { frames: 40, unetEvaluations: 8_000, seconds: 70 };
  expect(await ask('another')).toMatchObject({ edit: estimate, preview: estimate });
  await expect(older).rejects.toThrow(CanceledError);
});
