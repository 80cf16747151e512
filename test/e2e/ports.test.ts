// Other programs at the ports of the companion server: the server takes the next port, and the panel finds it there.

import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startCompanion } from '../companion.ts';
import { createClient, type Client } from '../../protocol/client/client.ts';
import { panelTiming } from '../../protocol/client/timing.ts';
import type { ServerNote } from '../../protocol/identity.ts';
import { createNonce, webPlatform } from '../../plugin/src/client/web-platform.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { freePort, startForwarder, startSilentStranger, startTalkativeStranger, type Stranger } from './strangers.ts';
import { createWorkspace } from './workspace.ts';

const strangers = [
  ['a Gradio-like server', startTalkativeStranger],
  ['a program that never answers', startSilentStranger],
] as const;

async function startBehind({ port }: Stranger): Promise<{ readonly server: RunningServer; readonly ports: number[] }> {
  const ports = [port, await freePort()];
  const server = await startCompanion({ ...(await createWorkspace()), ports });
  onTestFinished(() => server.close());
  return { server, ports };
}

/** A panel as in Premiere, which looks for its server. */
function openPanel(ports: readonly number[], note: ServerNote | null): Client {
  vi.stubGlobal('WebSocket', WebSocket);
  onTestFinished(() => void vi.unstubAllGlobals());
  let token: string | null = null;
  const client = createClient({
    server: {
      addresses: ports.map((port) => `http://127.0.0.1:${port}`),
      readNote: () => Promise.resolve(note),
      createNonce,
    },
    client: { name: 'panel', version: '0' },
    tokens: {
      read: () => Promise.resolve(token),
      write(next) {
        token = next;
        return Promise.resolve();
      },
    },
    platform: webPlatform,
    timing: panelTiming,
  });
  onTestFinished(() => client.stop());
  client.start();
  return client;
}

function becomes(client: Client, name: Client['link']['name']): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (client.link.name === name) resolve();
    };
    client.onLink(look);
    look();
  });
}

test.each(strangers)('%s at the first port disturbs neither server nor panel', async (_what, start) => {
  const stranger = await start();
  const { server, ports } = await startBehind(stranger);
  expect(server.url).toBe(`http://127.0.0.1:${ports[1]}`);
  const client = openPanel(ports, null);
  await becomes(client, 'unpaired');
  await client.pair(server.pairingCode);
  expect(client.link).toMatchObject({ name: 'online', server: { models: [{ id: 'model' }] } });
  expect(stranger.heard.join('\n')).not.toContain(server.pairingCode);
});

test.each(strangers)('%s hears no key of a panel that pairs by the file of its server', async (_what, start) => {
  const stranger = await start();
  const { server, ports } = await startBehind(stranger);
  const { instanceId, panelKey } = server;
  await becomes(openPanel(ports, { port: ports[1] ?? 0, instanceId, panelKey }), 'online');
  // The file of a server that has stopped may name the stranger's port.
  await becomes(openPanel(ports, { port: stranger.port, instanceId, panelKey }), 'online');
  expect(stranger.heard.join('\n')).not.toContain(panelKey);
});

test('a program that passes the panel on to the real server does not get its key', async () => {
  const { server } = await startBehind(await startSilentStranger());
  const { instanceId, panelKey } = server;
  const forwarder = await startForwarder(Number(new URL(server.url).port));
  const client = openPanel([forwarder.port], { port: forwarder.port, instanceId, panelKey });
  await becomes(client, 'unpaired');
  expect(forwarder.heard.join('\n')).toContain('identify');
  expect(forwarder.heard.join('\n')).not.toContain(panelKey);
});
