import fc from 'fast-check';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chunkHeaderBytes, encodeChunk } from '../../../protocol/chunk.ts';
import { defaultSettings } from '../../../protocol/edit-settings.ts';
import { chunkBytes, windowBytes } from '../../../protocol/limits.ts';
import type { ServerMessage } from '../../../protocol/server-messages.ts';
import { protocolVersion } from '../../../protocol/version.ts';
import type { EditResult, EditSpec } from '../edit-work.ts';
import { CanceledError } from '../errors.ts';
import { createJobQueue } from '../jobs/queue.ts';
import { createLog } from '../log.ts';
import { localClient } from '../pairing/pairings.ts';
import { createSession, type Session } from './session.ts';

const token = 'f'.repeat(64);
const hello = {
  type: 'hello',
  requestId: 0,
  protocol: protocolVersion,
  client: { name: 'test', version: '0' },
  token,
};

interface Fixture {
  readonly session: Session;
  readonly heard: ServerMessage[];
  readonly closings: string[];
  readonly clipsDir: string;
  readonly say: (message: object) => void;
  /** Resolves when the client has been told so many messages in all. */
  readonly hears: (count: number) => Promise<void>;
}

/** A session with a client that only listens, and with jobs that run until they are canceled. */
async function createFixture(): Promise<Fixture> {
  const clipsDir = await mkdtemp(join(tmpdir(), 'tokenflow-session-'));
  onTestFinished(() => rm(clipsDir, { recursive: true, force: true }));
  const heard: ServerMessage[] = [];
  const closings: string[] = [];
  const told = new EventEmitter();
  const queue = createJobQueue<EditSpec, EditResult>({
    work: (_jobId, _spec, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new CanceledError()));
      }),
    discard: () => Promise.resolve(),
  });
  const session = createSession(
    {
      version: '0',
      pairings: {
        authenticate: (presented) => (presented === token ? localClient : null),
        noteSeen: () => undefined,
      },
      models: new Map([['model', '/models/model']]),
      queue,
      clipsDir,
      log: createLog({ level: 'silent', write: () => undefined }),
    },
    {
      send(message) {
        heard.push(message);
        told.emit('message');
      },
      address: '127.0.0.1',
      admit: () => undefined,
      sendChunk: () => Promise.resolve(),
      waitingBytes: () => 0,
      close: (reason) => void closings.push(reason),
    },
  );
  const say = (message: object): void => session.receiveText(JSON.stringify(message));
  const hears = async (count: number): Promise<void> => {
    while (heard.length < count) await once(told, 'message');
  };
  return { session, heard, closings, clipsDir, say, hears };
}

test('requests are carried out in their order, also when they are sent at once', async () => {
  const { session, heard, say, hears } = await createFixture();
  say(hello);
  say({ type: 'upload-begin', requestId: 1, sizeBytes: 3, extension: null });
  session.receiveBinary(encodeChunk({ streamId: 1, offset: 0, bytes: Uint8Array.of(1, 2) }));
  session.receiveBinary(encodeChunk({ streamId: 1, offset: 2, bytes: Uint8Array.of(3) }));
  const sha256 = '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81';
  say({ type: 'upload-end', requestId: 2, streamId: 1, sha256 });
  await hears(5);
  expect(heard.map(({ type }) => type)).toEqual([
    'welcome',
    'upload-ready',
    'upload-ack',
    'upload-ack',
    'upload-done',
  ]);
  await session.close();
});

test('whatever a client says after hello, it is answered and the session goes on', async () => {
  const { session, heard, closings, clipsDir, say, hears } = await createFixture();
  say(hello);
  const types = ['upload-begin', 'upload-end', 'job-create', 'job-delete', 'download-begin', 'x'];
  const fields = fc.record(
    {
      requestId: fc.oneof(fc.nat(5), fc.jsonValue()),
      streamId: fc.nat(3),
      sizeBytes: fc.oneof(fc.nat(100), fc.jsonValue()),
      extension: fc.oneof(fc.constantFrom('mp4', null), fc.jsonValue()),
      jobId: fc.oneof(fc.constant('0'.repeat(32)), fc.jsonValue()),
      clipId: fc.constant('0'.repeat(32)),
      sha256: fc.oneof(fc.constant('0'.repeat(64)), fc.jsonValue()),
      settings: fc.constant({ ...defaultSettings(), prompt: 'x' }),
      model: fc.constantFrom(null, 'model', '../model'),
      device: fc.constant('cpu'),
      offset: fc.nat(10),
    },
    { requiredKeys: [] },
  );
  let said = 1;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...types), fields, async (type, message) => {
      say({ ...message, type });
      said++;
      await hears(said);
      expect(heard).toHaveLength(said);
    }),
    { numRuns: 300 },
  );
  expect(closings).toEqual([]);
  await session.close();
  expect(await readdir(clipsDir)).toEqual([]);
});

test('a client that sends more than the window allows is shown out', async () => {
  const { session, closings, say } = await createFixture();
  say(hello);
  const chunk = encodeChunk({ streamId: 1, offset: 0, bytes: new Uint8Array(chunkBytes) });
  for (let sent = 0; sent <= 2 * windowBytes; sent += chunk.length - chunkHeaderBytes) {
    session.receiveBinary(chunk);
  }
  expect(closings[0]).toBe('more bytes on their way than the window allows');
  await session.close();
});

test('the end of a connection cancels its upload and removes its clips', async () => {
  const { session, clipsDir, say, hears } = await createFixture();
  say(hello);
  say({ type: 'upload-begin', requestId: 1, sizeBytes: 3, extension: 'mov' });
  await hears(2);
  expect(await readdir(clipsDir)).toHaveLength(1);
  await session.close();
  expect(await readdir(clipsDir)).toEqual([]);
});
