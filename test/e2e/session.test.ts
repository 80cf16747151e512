// One connection without a socket: what is answered, in which order, and what stays when it ends.

import fc from 'fast-check';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chunkHeaderBytes, encodeChunk, parseChunk, type Chunk } from '../../protocol/chunk.ts';
import type { UploadReady } from '../../protocol/clip-messages.ts';
import type { Check } from '../../protocol/diagnostics.ts';
import { defaultSettings, type EditSettings } from '../../protocol/edit-settings.ts';
import type { Estimate } from '../../protocol/estimate.ts';
import { chunkBytes, maxSlowRequests, windowBytes } from '../../protocol/limits.ts';
import type { ServerMessage } from '../../protocol/server-messages.ts';
import { protocolVersion } from '../../protocol/version.ts';
import { createDeferred, type Deferred } from '../deferred.ts';
import { testMedia as media } from '../fixtures/media.ts';
import { openClipStore } from '../../companion-server/src/clips/clip-store.ts';
import { clipTables } from '../../companion-server/src/clips/tables.ts';
import { EditError } from '../../companion-server/src/errors.ts';
import { createLog } from '../../companion-server/src/log.ts';
import { openDatabase } from '../../companion-server/src/store/database.ts';
import type { SessionDeps } from '../../companion-server/src/http/session-deps.ts';
import { createSession, type Session } from '../../companion-server/src/http/session.ts';

const token = 'f'.repeat(64);
const owner = 'a'.repeat(32);
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
  readonly chunks: Chunk[];
  readonly dataDir: string;
  readonly say: (message: object) => void;
  /** Resolves when the client has been told so many messages in all. */
  readonly hears: (count: number) => Promise<void>;
  /** A further connection to the same server. */
  readonly connect: () => Omit<Fixture, 'dataDir' | 'connect'>;
}

const oneEstimate: Estimate = {
  frames: 1,
  unetEvaluations: 2,
  seconds: null,
  peakMemoryBytes: 3,
  diskBytes: 4,
  fits: false,
  advice: 'Buy a larger machine.',
};

interface FixtureOptions {
  readonly diagnose?: SessionDeps['diagnose'];
  readonly estimate?: SessionDeps['jobs']['estimate'];
}

/** A session with a client that only listens, on a server that has no jobs. */
async function createFixture({
  diagnose = () => Promise.resolve([]),
  estimate = () => Promise.resolve(oneEstimate),
}: FixtureOptions = {}): Promise<Fixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-session-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const database = openDatabase(':memory:', [clipTables]);
  const clips = await openClipStore({
    database,
    dataDir,
    probe: () => Promise.resolve(media),
    setAside: () => Promise.resolve(),
  });
  const missing = (): never => {
    throw new EditError('job-missing', 'There is no such job.');
  };
  const deps: SessionDeps = {
    version: '0',
    pairings: {
      authenticate: (presented) => (presented === token ? { clientId: owner, name: 'test' } : null),
      exchange(code, name) {
        if (code === 'right') return Promise.resolve({ client: { clientId: owner, name }, token });
        return Promise.reject(new EditError('pairing-refused', 'The code is wrong.'));
      },
      noteSeen: () => undefined,
    },
    models: () => [{ id: 'model', title: 'Model', goodFor: 'tests' }],
    device: () => 'cpu',
    disks: { shortages: () => [], subscribe: () => () => undefined },
    clips,
    jobs: {
      get: missing,
      cancel: missing,
      pause: missing,
      resume: missing,
      move: missing,
      create: missing,
      result: missing,
      remove: () => Promise.reject(new EditError('job-missing', 'None.')),
      list: () => [],
      ownerOf: missing,
      hasKey: () => false,
      needsClip: () => false,
      estimate,
      subscribe: () => () => undefined,
      subscribePlaces: () => () => undefined,
    },
    readPicture: (path, frameIndex) =>
      frameIndex === 40
        ? Promise.reject(new EditError('invalid-request', `"${path}" has no frame 40.`))
        : Promise.resolve(new Uint8Array(chunkBytes + frameIndex)),
    readMap: missing,
    diagnose,
    log: createLog({ level: 'silent', write: () => undefined }),
  };

  function connect(): ReturnType<Fixture['connect']> {
    const heard: ServerMessage[] = [];
    const closings: string[] = [];
    const chunks: Chunk[] = [];
    const told = new EventEmitter();
    const session = createSession(deps, {
      address: '127.0.0.1',
      admit: () => undefined,
      send(message) {
        heard.push(message);
        told.emit('message');
      },
      sendChunk: (chunk) => Promise.resolve(void chunks.push(parseChunk(chunk))),
      waitingBytes: () => 0,
      close: (reason) => void closings.push(reason),
    });
    const say = (message: object): void => session.receiveText(JSON.stringify(message));
    const hears = async (count: number): Promise<void> => {
      while (heard.length < count) await once(told, 'message');
    };
    return { session, heard, closings, chunks, say, hears };
  }
  return { ...connect(), dataDir, connect };
}

const begin = { type: 'upload-begin', extension: null, sha256: null, uploadId: null } as const;
/** Of the bytes 1, 2, 3. */
const sha256 = '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81';

test('requests are carried out in their order, also when they are sent at once', async () => {
  const { session, heard, say, hears } = await createFixture();
  say(hello);
  say({ ...begin, requestId: 1, sizeBytes: 3 });
  session.receiveBinary(encodeChunk({ streamId: 1, offset: 0, bytes: Uint8Array.of(1, 2) }));
  session.receiveBinary(encodeChunk({ streamId: 1, offset: 2, bytes: Uint8Array.of(3) }));
  say({ type: 'upload-end', requestId: 2, streamId: 1, sha256 });
  await hears(5);
  expect(heard.map(({ type }) => type)).toEqual(['welcome', 'upload-ready', 'upload-ack', 'upload-ack', 'upload-done']);
  expect(heard[4]).toMatchObject({ clipId: sha256.slice(0, 32), media });
  await session.close();
});

test('whatever a client says after hello, it is answered and the session goes on', async () => {
  const { session, heard, closings, say, hears } = await createFixture();
  say(hello);
  const types = [
    ...['upload-begin', 'upload-end', 'clip-get', 'clip-delete', 'estimate', 'job-create', 'job-list'],
    ...['job-get', 'job-cancel', 'job-pause', 'job-resume', 'job-move', 'job-delete', 'frame-get'],
    ...['download-begin', 'diagnostics-get', 'x'],
  ];
  const fields = fc.record(
    {
      requestId: fc.oneof(fc.nat(5), fc.jsonValue()),
      streamId: fc.nat(3),
      sizeBytes: fc.oneof(fc.nat(100), fc.jsonValue()),
      extension: fc.oneof(fc.constantFrom('mp4', null), fc.jsonValue()),
      uploadId: fc.constantFrom(null, '0'.repeat(32)),
      jobId: fc.oneof(fc.constant('0'.repeat(32)), fc.jsonValue()),
      afterJobId: fc.constantFrom(null, '0'.repeat(32)),
      beforeJobId: fc.constant(null),
      key: fc.constantFrom('a-key-of-a-job', '../../etc'),
      priority: fc.integer({ min: -11, max: 11 }),
      clipId: fc.constant('0'.repeat(32)),
      sha256: fc.oneof(fc.constant('0'.repeat(64)), fc.constant(null), fc.jsonValue()),
      settings: fc.constant({ ...defaultSettings(), prompt: 'x' }),
      model: fc.constantFrom(null, 'model', '../model'),
      device: fc.constant('cpu'),
      offset: fc.nat(10),
      side: fc.constantFrom('original', 'edit'),
      id: fc.constant('0'.repeat(32)),
      frameIndex: fc.nat(10),
      maxSide: fc.nat(100),
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
});

test('a client that sends more than the window allows is shown out', async () => {
  const { session, closings, say } = await createFixture();
  say(hello);
  const chunk = encodeChunk({ streamId: 1, offset: 0, bytes: new Uint8Array(chunkBytes) });
  for (let sent = 0; sent <= 2 * windowBytes; sent += chunk.length - chunkHeaderBytes) {
    session.receiveBinary(chunk);
  }
  expect(closings[0]).toBe('more on its way than the window allows');
  await session.close();
});

test('what a connection has brought when it is cut off is kept, and the next one goes on behind it', async () => {
  const { session, heard, say, hears, connect } = await createFixture();
  say(hello);
  say({ ...begin, requestId: 1, sizeBytes: 3 });
  await hears(2);
  session.receiveBinary(encodeChunk({ streamId: 1, offset: 0, bytes: Uint8Array.of(1) }));
  session.receiveBinary(encodeChunk({ streamId: 1, offset: 1, bytes: Uint8Array.of(2) }));
  const closed = session.close();
  const { uploadId } = heard[1] as UploadReady;
  const next = connect();
  next.say(hello);
  next.say({ ...begin, requestId: 1, sizeBytes: 3, uploadId });
  await next.hears(2);
  expect(next.heard[1]).toMatchObject({ uploadId, receivedBytes: 2 });
  next.session.receiveBinary(encodeChunk({ streamId: 1, offset: 2, bytes: Uint8Array.of(3) }));
  next.say({ type: 'upload-end', requestId: 2, streamId: 1, sha256 });
  await next.hears(4);
  expect(next.heard[3]).toMatchObject({ type: 'upload-done' });
  await closed;
  await next.session.close();
});

test('a code is exchanged for a token, with which the client is let in', async () => {
  const { session, heard, say, hears } = await createFixture();
  say({ type: 'pair', requestId: 1, protocol: protocolVersion, code: 'right', name: 'panel' });
  await hears(1);
  expect(heard[0]).toEqual({ type: 'paired', requestId: 1, clientId: owner, token });
  expect(session.isWelcome()).toBe(false);
  say(hello);
  await hears(2);
  expect(heard[1]).toMatchObject({ type: 'welcome', device: 'cpu', models: [{ id: 'model' }] });
  expect(session.clientId()).toBe(owner);
  await session.close();
});

test('a wrong code ends the connection', async () => {
  const { session, heard, closings, say, hears } = await createFixture();
  say({ type: 'pair', requestId: 1, protocol: protocolVersion, code: 'wrong', name: 'panel' });
  say(hello);
  await hears(1);
  await session.close();
  expect(heard).toMatchObject([{ type: 'error', error: { code: 'pairing-refused' } }]);
  expect(closings).toEqual(['not paired']);
});

test('a job that cannot fit is refused with advice', async () => {
  const { session, heard, say, hears } = await createFixture();
  say(hello);
  const settings = { ...defaultSettings(), prompt: 'x' };
  const wish = { clipId: '0'.repeat(32), settings, model: null, device: 'auto' };
  say({ type: 'job-create', requestId: 1, key: 'a-key-of-a-job', ...wish, priority: 0 });
  await hears(2);
  expect(heard[1]).toMatchObject({
    error: { code: 'does-not-fit', hint: 'Buy a larger machine.' },
  });
  say({ type: 'estimate', requestId: 2, estimateId: 7, ...wish });
  await hears(3);
  expect(heard[2]).toMatchObject({ type: 'estimated', estimateId: 7, edit: { unetEvaluations: 2, fits: false } });
  await session.close();
});

/** A session on which an estimate comes when the test says so, in the order in which they were asked for. */
async function createEstimateFixture() {
  const asked: (Deferred<Estimate> & { readonly settings: EditSettings; readonly signal: AbortSignal | undefined })[] =
    [];
  const told = new EventEmitter();
  const asks = async (count: number): Promise<void> => {
    while (asked.length < count) await once(told, 'ask');
  };
  const fixture = await createFixture({
    estimate(_owner, { settings }, signal) {
      const answer = createDeferred<Estimate>();
      asked.push({ ...answer, settings, signal });
      told.emit('ask');
      return answer.promise;
    },
  });
  fixture.say(hello);
  await fixture.hears(1);
  const ask = (requestId: number, estimateId: number, steps: number): void => {
    const settings = { ...defaultSettings(), prompt: 'x', steps };
    fixture.say({
      ...{ type: 'estimate', requestId, estimateId },
      ...{ clipId: '0'.repeat(32), settings, model: null, device: 'auto' },
    });
  };
  /** Settles what was asked for of an edit with so many steps. */
  const settle = (steps: number, how: (answer: Deferred<Estimate>, isPreview: boolean) => void): void => {
    for (const one of asked) if (one.settings.steps === steps) how(one, one.settings.preview);
  };
  return { ...fixture, asked, asks, ask, settle };
}

test('one question is answered for the edit and for its preview', async () => {
  const { session, heard, ask, asks, settle, hears } = await createEstimateFixture();
  ask(1, 70, 20);
  await asks(2);
  settle(20, ({ resolve }, isPreview) => resolve({ ...oneEstimate, seconds: isPreview ? 2 : 20 }));
  await hears(2);
  expect(heard[1]).toEqual({
    ...{ type: 'estimated', requestId: 1, estimateId: 70 },
    ...{ edit: { ...oneEstimate, seconds: 20 }, preview: { ...oneEstimate, seconds: 2 } },
  });
  await session.close();
});

test('a preview that cannot be estimated keeps the answer of the edit from nobody', async () => {
  const { session, heard, ask, asks, settle, hears } = await createEstimateFixture();
  ask(1, 70, 20);
  await asks(2);
  settle(20, ({ resolve, reject }, isPreview) =>
    isPreview ? reject(new EditError('invalid-request', 'No keyframe.')) : resolve(oneEstimate),
  );
  await hears(2);
  expect(heard[1]).toMatchObject({ type: 'estimated', edit: oneEstimate, preview: null });
  await session.close();
});

test('a newer estimate of a connection ends the one before, which is answered by that alone', async () => {
  const { session, heard, ask, asked, asks, settle, hears, connect } = await createEstimateFixture();
  const other = connect();
  other.say(hello);
  await other.hears(1);
  ask(1, 70, 20);
  ask(2, 71, 30);
  await hears(2);
  expect(heard[1]).toEqual({ type: 'estimate-canceled', requestId: 1, estimateId: 70 });
  await asks(4);
  expect(asked.map(({ settings, signal }) => [settings.steps, signal?.aborted])).toEqual([
    ...[20, 20].map((steps) => [steps, true]),
    ...[30, 30].map((steps) => [steps, false]),
  ]);
  // What the older one comes to after all is told to nobody.
  settle(20, ({ resolve }) => resolve(oneEstimate));
  settle(30, ({ resolve }) => resolve({ ...oneEstimate, seconds: 30 }));
  await hears(3);
  expect(heard[2]).toMatchObject({ type: 'estimated', requestId: 2, estimateId: 71, edit: { seconds: 30 } });
  await session.close();
  await other.session.close();
  expect(heard).toHaveLength(3);
});

test('an estimate of another connection ends none of this one, and a job that is made ends none', async () => {
  const { session, heard, ask, asked, asks, settle, hears, say, connect } = await createEstimateFixture();
  const other = connect();
  other.say(hello);
  ask(1, 70, 20);
  const wish = { clipId: '0'.repeat(32), settings: { ...defaultSettings(), prompt: 'x' }, model: null, device: 'auto' };
  other.say({ type: 'estimate', requestId: 1, estimateId: 70, ...wish });
  say({ type: 'job-create', requestId: 2, key: 'a-key-of-a-job', ...wish, priority: 0 });
  await asks(5);
  expect(asked.map(({ signal }) => signal?.aborted ?? false)).toEqual([false, false, false, false, false]);
  settle(20, ({ resolve }) => resolve(oneEstimate));
  await hears(2);
  expect(heard[1]).toMatchObject({ type: 'estimated', estimateId: 70 });
  for (const { resolve } of asked) resolve(oneEstimate);
  await Promise.all([session.close(), other.session.close()]);
});

test('a connection that ends takes its estimate with it', async () => {
  const { session, ask, asked, asks } = await createEstimateFixture();
  ask(1, 70, 20);
  await asks(2);
  await session.close();
  expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
});

test('a failed estimate is refused with its reason, and the next one is answered', async () => {
  const { session, heard, ask, asks, settle, hears } = await createEstimateFixture();
  ask(1, 70, 20);
  await asks(2);
  settle(20, ({ reject }) => reject(new EditError('model-missing', 'No such model.')));
  await hears(2);
  expect(heard[1]).toMatchObject({ type: 'error', requestId: 1, error: { code: 'model-missing' } });
  ask(2, 71, 30);
  await asks(4);
  settle(30, ({ resolve }) => resolve(oneEstimate));
  await hears(3);
  expect(heard[2]).toMatchObject({ type: 'estimated', estimateId: 71 });
  await session.close();
});

test('more requests that take their time than the limit are refused, and the others are answered', async () => {
  const { session, heard, say, hears } = await createFixture();
  say(hello);
  const count = maxSlowRequests + 3;
  for (let requestId = 1; requestId <= count; requestId++) {
    say({ type: 'diagnostics-get', requestId });
  }
  await hears(count + 1);
  await session.close();
  const refused = heard.filter(({ type }) => type === 'error');
  expect(refused.every((message) => message.type === 'error' && message.error.code === 'limit-reached')).toBe(true);
  expect(heard.filter(({ type }) => type === 'diagnostics').length + refused.length).toBe(count);
});

test('a frame comes as one picture in chunks of its own stream, and a refusal names no path', async () => {
  const { session, heard, chunks, dataDir, say, hears } = await createFixture();
  say(hello);
  say({ ...begin, requestId: 1, sizeBytes: 3 });
  session.receiveBinary(encodeChunk({ streamId: 1, offset: 0, bytes: Uint8Array.of(1, 2, 3) }));
  say({ type: 'upload-end', requestId: 2, streamId: 1, sha256 });
  await hears(4);
  const ask = { type: 'frame-get', side: 'original', id: sha256.slice(0, 32), maxSide: 64 };
  say({ ...ask, requestId: 3, frameIndex: 7 });
  await hears(5);
  expect(heard[4]).toMatchObject({ type: 'frame-ready', streamId: 2, sizeBytes: chunkBytes + 7 });
  say({ ...ask, requestId: 4, frameIndex: 40 });
  await hears(6);
  const refused = heard[5];
  expect(refused).toMatchObject({ error: { message: 'the clip has no frame 40.' } });
  expect(JSON.stringify(refused)).not.toContain(dataDir);
  await session.close();
  expect(chunks.map(({ streamId, offset, bytes }) => [streamId, offset, bytes.length])).toEqual([
    [2, 0, chunkBytes],
    [2, chunkBytes, 7],
  ]);
});

test('an upload for whose end there was no place may be ended a moment later', async () => {
  const busy = createDeferred<readonly Check[]>();
  const { session, heard, say, hears } = await createFixture({ diagnose: () => busy.promise });
  say(hello);
  say({ ...begin, requestId: 1, sizeBytes: 3 });
  session.receiveBinary(encodeChunk({ streamId: 1, offset: 0, bytes: Uint8Array.of(1, 2, 3) }));
  for (let i = 0; i < maxSlowRequests; i++) say({ type: 'diagnostics-get', requestId: 2 + i });
  const end = { type: 'upload-end', streamId: 1, sha256 };
  say({ ...end, requestId: 50 });
  await hears(4);
  expect(heard.find(({ type }) => type === 'error')).toMatchObject({
    requestId: 50,
    error: { code: 'limit-reached' },
  });
  busy.resolve([]);
  await hears(4 + maxSlowRequests);
  say({ ...end, requestId: 51 });
  await hears(5 + maxSlowRequests);
  expect(heard.at(-1)).toMatchObject({ type: 'upload-done', requestId: 51 });
  await session.close();
});

test('nothing that a client says after it was shown out is carried out', async () => {
  const { session, heard, closings, say, hears } = await createFixture();
  say(hello);
  await hears(1);
  say({ type: 'job-list', requestId: 1, afterJobId: null });
  session.showOut('the pairing was revoked');
  say({ type: 'job-list', requestId: 2, afterJobId: null });
  await session.close();
  expect(closings).toEqual(['the pairing was revoked']);
  expect(heard.map(({ type }) => type)).toEqual(['welcome']);
});
