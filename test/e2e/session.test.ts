// One connection without a socket: what is answered, in which order, and what stays when it ends.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkHeaderBytes, encodeChunk } from '../../protocol/messages/chunk.ts';
import type { UploadReady } from '../../protocol/messages/clip-messages.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import type { Check } from '../../protocol/diagnostics.ts';
import { chunkBytes, maxSlowRequests, windowBytes } from '../../protocol/limits.ts';
import { protocolVersion } from '../../protocol/version.ts';
import { EditError } from '../../companion-server/src/errors.ts';
import { createDeferred } from '../deferred.ts';
import { testMedia as media } from '../fixtures/media.ts';
import { begin, createSessionFixture, hello, oneEstimate, owner, sha256, token } from './session-fixture.ts';

test('requests are carried out in their order, also when they are sent at once', async () => {
  const { session, heard, say, hears } = await createSessionFixture();
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
  const { session, heard, closings, say, hears } = await createSessionFixture();
  say(hello);
  const types = [
    ...['upload-begin', 'upload-end', 'clip-get', 'clip-delete', 'estimate', 'job-create', 'job-list'],
    ...['job-get', 'job-cancel', 'job-pause', 'job-resume', 'job-move', 'job-delete', 'frame-get'],
    ...['download-begin', 'diagnostics-get', 'models-get', 'x'],
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
  const { session, closings, say } = await createSessionFixture();
  say(hello);
  const chunk = encodeChunk({ streamId: 1, offset: 0, bytes: new Uint8Array(chunkBytes) });
  for (let sent = 0; sent <= 2 * windowBytes; sent += chunk.length - chunkHeaderBytes) {
    session.receiveBinary(chunk);
  }
  expect(closings[0]).toBe('more on its way than the window allows');
  await session.close();
});

test('what a connection has brought when it is cut off is kept, and the next one goes on behind it', async () => {
  const { session, heard, say, hears, connect } = await createSessionFixture();
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
  const { session, heard, say, hears } = await createSessionFixture();
  say({ type: 'pair', requestId: 1, protocol: protocolVersion, code: 'right', name: 'panel' });
  await hears(1);
  expect(heard[0]).toEqual({ type: 'paired', requestId: 1, clientId: owner, token });
  expect(session.isAuthenticated()).toBe(false);
  say(hello);
  await hears(2);
  expect(heard[1]).toMatchObject({ type: 'welcome', device: 'cpu', models: [{ id: 'model' }] });
  expect(session.clientId()).toBe(owner);
  await session.close();
});

test('a wrong code ends the connection', async () => {
  const { session, heard, closings, say, hears } = await createSessionFixture();
  say({ type: 'pair', requestId: 1, protocol: protocolVersion, code: 'wrong', name: 'panel' });
  say(hello);
  await hears(1);
  await session.close();
  expect(heard).toMatchObject([{ type: 'error', error: { code: 'pairing-refused' } }]);
  expect(closings).toEqual(['not paired']);
});

test('a job whose clip is missing is refused before anything is estimated or queued', async () => {
  const asked: string[] = [];
  const { session, heard, say, hears } = await createSessionFixture({
    check: (owner, { clipId }) => Promise.reject(new EditError('clip-missing', `No ${clipId} of ${owner}.`)),
    estimate() {
      asked.push('estimate');
      return Promise.resolve(oneEstimate);
    },
  });
  say(hello);
  const settings = { ...defaultSettings(), prompt: 'x' };
  const wish = { clipId: 'd'.repeat(32), settings, model: null, device: 'auto' };
  say({ type: 'job-create', requestId: 1, key: 'a-key-of-a-job', ...wish, priority: 0 });
  await hears(2);
  expect(heard[1]).toMatchObject({
    type: 'error',
    requestId: 1,
    error: { code: 'clip-missing', message: `No ${'d'.repeat(32)} of ${owner}.` },
  });
  expect(asked).toEqual([]);
  await session.close();
});

test('a job that cannot fit is refused with advice', async () => {
  const { session, heard, say, hears } = await createSessionFixture();
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

test('more requests that take their time than the limit are refused, and the others are answered', async () => {
  const { session, heard, say, hears } = await createSessionFixture();
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
  const { session, heard, chunks, dataDir, say, hears } = await createSessionFixture();
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
  const asControlNet = { type: 'control-picture-get', kind: 'canny', clipId: ask.id, maxSide: 64 };
  say({ ...asControlNet, requestId: 5, frameIndex: 7 });
  await hears(7);
  expect(heard[6]).toMatchObject({ type: 'frame-ready', streamId: 3, sizeBytes: 'canny'.length });
  say({ ...asControlNet, requestId: 6, frameIndex: 40 });
  await hears(8);
  expect(heard[7]).toMatchObject({ error: { message: 'the clip has no frame 40.' } });
  await session.close();
  expect(chunks.map(({ streamId, offset, bytes }) => [streamId, offset, bytes.length])).toEqual([
    [2, 0, chunkBytes],
    [2, chunkBytes, 7],
    [3, 0, 'canny'.length],
  ]);
});

test('an upload for whose end there was no place may be ended a moment later', async () => {
  const busy = createDeferred<readonly Check[]>();
  const { session, heard, say, hears } = await createSessionFixture({ diagnose: () => busy.promise });
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
  const { session, heard, closings, say, hears } = await createSessionFixture();
  say(hello);
  await hears(1);
  say({ type: 'job-list', requestId: 1, afterJobId: null });
  session.showOut('the pairing was revoked');
  say({ type: 'job-list', requestId: 2, afterJobId: null });
  await session.close();
  expect(closings).toEqual(['the pairing was revoked']);
  expect(heard.map(({ type }) => type)).toEqual(['welcome']);
});
