// Who asks and does not read, and a crowd that does nothing but send.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { socketPath, subprotocol } from '../../protocol/version.ts';
import { uploadTo } from '../e2e/test-jobs.ts';
import { connectRaw, connectTo, greet, startTestServer } from '../e2e/test-server.ts';
import { createWorkspace } from '../e2e/workspace.ts';

test('a client that never reads is cut off before much waits for it, and its jobs stay', async () => {
  const workspace = await createWorkspace();
  const server = await startTestServer(workspace, 'stopping');
  const steady = await connectTo(server);
  const clipId = await uploadTo(steady, workspace);
  const settings = {
    ...defaultSettings(),
    prompt: 'x'.repeat(2_000),
    sourcePrompt: 'y'.repeat(2_000),
  };
  const wish = { clipId, settings, model: null, device: 'cpu', priority: 0 } as const;
  for (let i = 0; i < 20; i++) {
    await steady.request({ type: 'job-create', key: `key-${i}-abcdefgh`, ...wish });
  }
  const { jobs } = await steady.request({ type: 'job-list', afterJobId: null });
  const replyBytes = JSON.stringify(jobs).length;
  const deaf = await connectRaw(server);
  await greet(deaf, server);
  deaf.socket.pause();
  let asked = 0;
  let isCut = false;
  const metrics = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${server.token}` };
    const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
    return Number(/^tokenflow_connections (\d+)$/m.exec(text)?.[1]);
  };
  const before = await metrics();
  while (!isCut && asked * replyBytes < 256 * 1024 * 1024) {
    for (let i = 0; i < 10; i++) deaf.say({ type: 'job-list', requestId: asked++, afterJobId: null });
    isCut = (await metrics()) < before;
  }
  expect(isCut).toBe(true);
  // What the system holds for both ends comes on top of what waits in the server.
  expect(asked * replyBytes).toBeLessThan(32 * 1024 * 1024);
  expect((await steady.request({ type: 'job-list', afterJobId: null })).jobs).toHaveLength(20);
});

test('a server stops soon while a crowd of strangers sends it messages without end', async () => {
  const server = await startTestServer(await createWorkspace());
  const { port } = new URL(server.url);
  const handshake = [
    `GET ${socketPath} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${subprotocol}`,
    ...['', ''],
  ].join('\r\n');
  // A text of one letter, masked by zeros.
  const messages = Buffer.concat(Array<Buffer>(200_000).fill(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x7b])));
  const crowd = Array.from({ length: 64 }, () => connect(Number(port), '127.0.0.1'));
  onTestFinished(() => {
    for (const stranger of crowd) stranger.destroy();
  });
  for (const stranger of crowd) {
    stranger.on('error', () => undefined);
    stranger.write(handshake);
    stranger.write(messages);
  }
  const heard = (stranger: Socket): Promise<unknown> => Promise.race([once(stranger, 'data'), once(stranger, 'close')]);
  await Promise.all(crowd.map(heard));
  const stoppedAt = performance.now();
  await server.close();
  expect(performance.now() - stoppedAt).toBeLessThan(2_000);
});
