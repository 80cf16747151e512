// What the socket lets in, refuses and answers.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeChunk } from '../../protocol/messages/chunk.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { chunkBytes, maxControlBytes } from '../../protocol/limits.ts';
import { socketPath, subprotocol } from '../../protocol/version.ts';
import { createAdmission } from '../../companion-server/src/api/admission.ts';
import { createMetrics } from '../../companion-server/src/api/prometheus.ts';
import { attachSocket } from '../../companion-server/src/api/session/socket.ts';
import { createLog } from '../../companion-server/src/app/log.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { protocolVersion } from '../../protocol/version.ts';
import { connectRaw, greet, startTestServer, type RawClient } from './test-server.ts';
import { createWorkspace } from './workspace.ts';

const unknownId = '0'.repeat(32);
const settings = { ...defaultSettings(), prompt: 'a wolf' };
const wish = {
  key: 'key-of-a-job',
  clipId: unknownId,
  settings,
  model: null,
  device: 'cpu',
  priority: 0,
};

async function startGreeted(): Promise<{ server: RunningServer; client: RawClient }> {
  const server = await startTestServer(await createWorkspace());
  const client = await connectRaw(server);
  expect(await greet(client, server)).toMatchObject({ type: 'welcome', models: [{ id: 'model' }] });
  return { server, client };
}

/** Status of the answer to an upgrade with these headers; 101 when it is let in. */
function upgrade(
  { url }: RunningServer,
  headers: Readonly<Record<string, string>>,
  path = socketPath,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, url), {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol': subprotocol,
        ...headers,
      },
    });
    asked.on('upgrade', (_response, stream) => {
      stream.destroy();
      resolve(101);
    });
    asked.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('the upgrade', () => {
  test.each([
    ['nothing special', {}, 101],
    ['the host localhost', { host: 'localhost:1' }, 101],
    ['the origin of a panel', { origin: 'uxp://panel' }, 101],
    ['the origin of a web page', { origin: 'https://evil.example' }, 403],
    ['the origin of another local server', { origin: 'http://127.0.0.1:3000' }, 403],
    ['the origin of a sandboxed page', { origin: 'null' }, 403],
    ['a host name that was pointed here', { host: 'evil.example' }, 403],
    ['another subprotocol', { 'sec-websocket-protocol': 'chat' }, 400],
  ])('with %s', async (_what, headers, status) => {
    const server = await startTestServer(await createWorkspace());
    expect(await upgrade(server, headers)).toBe(status);
  });

  test('elsewhere than at the socket is refused', async () => {
    const server = await startTestServer(await createWorkspace());
    expect(await upgrade(server, {}, '/other')).toBe(404);
  });
});

describe('hello', () => {
  test('with a wrong token is refused and ends the connection', async () => {
    const server = await startTestServer(await createWorkspace());
    const client = await connectRaw(server);
    const reply = await greet(client, { ...server, token: 'f'.repeat(64) });
    expect(reply).toMatchObject({ type: 'error', requestId: 0, error: { code: 'not-paired' } });
    expect(await client.ended).toEqual({ code: 1008, reason: 'not paired' });
  });

  test('of another version is refused', async () => {
    const server = await startTestServer(await createWorkspace());
    const client = await connectRaw(server);
    const hello = { type: 'hello', requestId: 5, protocol: protocolVersion + 1, token: server.token };
    client.say({ ...hello, client: { name: 'test', version: '0' } });
    expect(await client.hear()).toMatchObject({
      requestId: 5,
      error: {
        code: 'version-mismatch',
        message: `The client speaks version ${protocolVersion + 1} of the protocol, the server ${protocolVersion}.`,
      },
    });
  });

  test('must come first', async () => {
    const server = await startTestServer(await createWorkspace());
    const client = await connectRaw(server);
    client.say({ type: 'job-cancel', requestId: 1, jobId: unknownId });
    expect(await client.hear()).toMatchObject({
      requestId: 1,
      error: {
        code: 'not-paired',
        message: 'The first message must be hello or pair, got job-cancel.',
      },
    });
    expect((await client.ended).code).toBe(1008);
  });
});

describe('a message', () => {
  test.each([
    ['no JSON', '{', null, 'message must be JSON.'],
    [
      'a bad setting',
      {
        type: 'job-create',
        requestId: 9,
        ...wish,
        settings: { ...settings, strength: 1.4 },
      },
      9,
      'message.settings.strength must be between 0 and 1, got 1.4.',
    ],
    [
      'an unknown clip',
      { type: 'job-create', requestId: 9, ...wish },
      9,
      `There is no clip ${unknownId} of this client.`,
    ],
    ['an unknown job', { type: 'job-cancel', requestId: 9, jobId: unknownId }, 9, `There is no job ${unknownId}.`],
    [
      'an unknown upload',
      { type: 'upload-end', requestId: 9, streamId: 77, sha256: '0'.repeat(64) },
      9,
      'There is no open upload 77.',
    ],
    ['too many bytes', ' '.repeat(maxControlBytes + 1), null, 'message must have at most 65536 bytes.'],
  ])('with %s is answered by an error, and the connection goes on', async (_what, message, requestId, text) => {
    const { server, client } = await startGreeted();
    client.say(message);
    expect(await client.hear()).toMatchObject({
      type: 'error',
      requestId,
      error: { message: text },
    });
    expect(await greet(client, server)).toMatchObject({ type: 'welcome' });
  });

  test('over the limit of the socket ends the connection', async () => {
    const { client } = await startGreeted();
    client.socket.send(new Uint8Array(chunkBytes + 17));
    expect((await client.ended).code).toBe(1009);
  });
});

describe('an upload', () => {
  const bytes = Buffer.from('not really a clip');
  const sha256 = createHash('sha256').update(bytes).digest('hex');

  async function begin(client: RawClient, sizeBytes = bytes.length): Promise<number> {
    const request = { type: 'upload-begin', requestId: 1, sizeBytes, extension: 'mp4' };
    client.say({ ...request, sha256: null, uploadId: null });
    const ready = await client.hear();
    if (ready.type !== 'upload-ready') throw new Error(`unexpected ${ready.type}`);
    return ready.streamId;
  }

  test('is acknowledged chunk by chunk and ends with the id of the clip', async () => {
    const { client } = await startGreeted();
    const streamId = await begin(client);
    client.socket.send(encodeChunk({ streamId, offset: 0, bytes: bytes.subarray(0, 5) }));
    expect(await client.hear()).toEqual({ type: 'upload-ack', streamId, receivedBytes: 5 });
    client.socket.send(encodeChunk({ streamId, offset: 5, bytes: bytes.subarray(5) }));
    expect(await client.hear()).toMatchObject({ receivedBytes: bytes.length });
    client.say({ type: 'upload-end', requestId: 2, streamId, sha256 });
    expect(await client.hear()).toMatchObject({ type: 'upload-done', requestId: 2 });
  });

  test('with another hash is refused and leaves nothing', async () => {
    const workspace = await createWorkspace();
    const server = await startTestServer(workspace);
    const client = await connectRaw(server);
    await greet(client, server);
    const streamId = await begin(client);
    client.socket.send(encodeChunk({ streamId, offset: 0, bytes }));
    await client.hear();
    client.say({ type: 'upload-end', requestId: 2, streamId, sha256: 'a'.repeat(64) });
    expect(await client.hear()).toMatchObject({
      type: 'error',
      requestId: 2,
      error: { code: 'transfer-damaged' },
    });
    expect((await workspace.leftovers()).filter((name) => name.endsWith('.mp4'))).toEqual([]);
  });

  test('that is not whole is refused', async () => {
    const { client } = await startGreeted();
    const streamId = await begin(client, bytes.length + 1);
    client.socket.send(encodeChunk({ streamId, offset: 0, bytes }));
    await client.hear();
    client.say({ type: 'upload-end', requestId: 2, streamId, sha256 });
    expect(await client.hear()).toMatchObject({ error: { code: 'transfer-damaged' } });
  });

  test.each([
    ['leaves a gap', 3, 'The next chunk must start at byte 0 and end by 17, got 3 to 20.'],
    ['is too long', 0, 'The next chunk must start at byte 0 and end by 17, got 0 to 18.'],
  ])('ends when a chunk %s', async (what, offset, message) => {
    const { client } = await startGreeted();
    const streamId = await begin(client);
    const sent = what === 'is too long' ? Buffer.concat([bytes, Buffer.from('!')]) : bytes;
    client.socket.send(encodeChunk({ streamId, offset, bytes: sent }));
    expect(await client.hear()).toMatchObject({
      type: 'stream-failed',
      streamId,
      error: { message },
    });
  });
});

test('a client that says no hello in time is shown out', async () => {
  const http = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void http.close());
  await once(http, 'listening');
  const unused = (): never => {
    throw new Error('Nothing is asked for in this test.');
  };
  attachSocket(http, {
    version: '0',
    identity: { instanceId: 'd'.repeat(32), proof: unused },
    pairings: {
      authenticate: unused,
      exchange: unused,
      noteSeen: unused,
      onRevoked: () => () => undefined,
    },
    admission: createAdmission(),
    metrics: createMetrics(),
    models: unused,
    storage: unused,
    lookForModels: unused,
    modelChanges: { downloads: null, remove: unused, readSample: unused, subscribe: unused },
    device: unused,
    disks: { shortages: unused, subscribe: unused },
    clips: { begin: unused, get: unused, withHash: unused, remove: unused, removeUnused: unused, close: unused },
    jobs: {
      add: unused,
      list: unused,
      get: unused,
      cancel: unused,
      pause: unused,
      resume: unused,
      move: unused,
      remove: unused,
      subscribe: unused,
      ownerOf: unused,
      hasKey: unused,
      needsClip: unused,
    },
    artifacts: { facts: unused, localPath: unused, read: unused },
    checkEdit: unused,
    estimateEdit: unused,
    readPicture: unused,
    readControlPicture: unused,
    readStill: () => Promise.resolve(new Uint8Array(1)),
    readMap: unused,
    playback: { open: unused, pictures: unused },
    linkSecret: new Uint8Array(32),
    diagnose: unused,
    log: createLog({ level: 'silent', write: () => undefined }),
    helloTimeoutMs: 1,
  });
  const { port } = http.address() as AddressInfo;
  const client = await connectRaw({ url: `http://127.0.0.1:${port}` });
  expect(await client.ended).toEqual({ code: 1008, reason: 'no hello in time' });
});

test('the system looks after connections whose other end may have gone without a word', async () => {
  const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive');
  onTestFinished(() => keepAlive.mockRestore());
  await startGreeted();
  expect(keepAlive).toHaveBeenCalledWith(true, 30_000);
});
