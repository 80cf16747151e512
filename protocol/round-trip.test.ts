// Every message that a side can say is read as it was said; a change to any one field of it is read or refused by path.

import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientMessage } from './messages/client-messages.ts';
import { clipExtensions } from './messages/clip-messages.ts';
import { checkStatuses } from './diagnostics.ts';
import { deviceChoices, devices } from './devices.ts';
import { defaultSettings, guidanceBases, pipelines } from './edit-settings.ts';
import { techniqueNames } from './techniques.ts';
import { errorCodes, type ErrorCode } from './error-codes.ts';
import { FieldError } from './fields.ts';
import { jobStates } from './job.ts';
import { editStages } from './progress.ts';
import { parseServerMessage } from './messages/server-messages.ts';
import { storeFolders } from './messages/session-messages.ts';
import { modelSources } from './model-info.ts';
import { downloadStates, offerKinds, offerStates } from './model-offers.ts';
import { frameSides } from './messages/stream-messages.ts';

const text = (maxLength: number, minLength = 0) => fc.string({ minLength, maxLength });
const hex = (length: number) =>
  fc
    .array(fc.nat(15), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''));
const nullable = <T>(value: Arbitrary<T>) => fc.option(value, { nil: null });
const count = fc.maxSafeNat();
/** JSON knows no negative zero. */
const amount = fc.double({ min: 0, max: 1e12, noNaN: true }).map((value) => value + 0);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const requestId = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const streamId = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const [id, sha256] = [hex(32), hex(64)];
const positive = fc.integer({ min: 1, max: 1_000_000 });
const rational = fc.record({ numerator: positive, denominator: positive });
const size = fc.record({ width: positive, height: positive });
const peer = fc.record({ name: text(100, 1), version: text(100, 1) });
const notices = fc.array(text(50), { maxLength: 3 });
const priority = fc.integer({ min: -10, max: 10 });
const key = fc.uuid();

const settings = fc
  .record({
    technique: fc.constantFrom(...techniqueNames),
    prompt: text(2_000).map((words) => `a ${words}`.slice(0, 2_000)),
    sourcePrompt: text(100),
    strength: share,
    seed: requestId,
    pipeline: fc.constantFrom(...pipelines),
    preview: fc.boolean(),
    steps: nullable(fc.integer({ min: 1, max: 1_000 })),
  })
  .map(({ technique, ...chosen }) => ({ ...defaultSettings(technique), ...chosen }));

const progress = fc.record({
  stage: fc.constantFrom(...editStages),
  step: fc.integer({ min: 0, max: 50 }),
  steps: fc.integer({ min: 50, max: 100 }),
  progress: share,
  etaSeconds: nullable(amount),
  reconstructionPsnr: nullable(amount),
});

const error = fc.record(
  {
    code: fc.constantFrom(...(Object.keys(errorCodes) as ErrorCode[])),
    message: text(100),
    hint: text(100),
  },
  { requiredKeys: ['code', 'message'] },
);

const reportFields = {
  device: fc.constantFrom(...devices),
  frames: count,
  frameRate: rational,
  outputSize: size,
  workingSize: size,
  chosen: fc.record({
    guideBy: fc.constantFrom(...guidanceBases),
    guidance: amount,
    steps: positive,
    inversionSteps: positive,
  }),
  unetEvaluations: fc.record({ inversion: amount, sampling: amount }),
  reconstructionPsnr: nullable(amount),
  frameIndices: nullable(fc.array(count, { maxLength: 8 })),
  stageSeconds: fc.dictionary(fc.constantFrom(...editStages), amount),
  peakMemoryBytes: amount,
  notices,
};
// Reports of machines that don't tell, and of earlier versions, have no mapped memory, and do not say what was written.
const written = fc.record({ timecodeFrames: nullable(count), hasAlpha: fc.boolean() });
const report = fc.oneof(fc.record(reportFields), fc.record({ ...reportFields, written, peakMappedBytes: amount }));

const job = fc.record({
  jobId: id,
  key,
  clipId: id,
  state: fc.constantFrom(...jobStates),
  priority,
  position: nullable(count),
  createdAt: fc
    .date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  settings,
  model: nullable(text(200, 1)),
  progress: nullable(progress),
  report: nullable(report),
  result: nullable(fc.record({ sizeBytes: count, sha256 })),
  error: nullable(error),
  resumes: count,
});

const media = fc.record({
  durationSeconds: amount,
  frameCount: positive,
  frameRate: rational,
  isVariableRate: fc.boolean(),
  size,
  rotationDegrees: fc.constantFrom(0, 90, 180, 270),
  pixelFormat: text(20),
  bitDepth: fc.constantFrom(8, 10, 12),
  isInterlaced: fc.boolean(),
  audio: fc.array(fc.record({ codec: text(10), channels: count, sampleRate: count }), {
    maxLength: 2,
  }),
  notices,
});

const sizeBytes = fc.integer({ min: 1, max: 64 * 1024 ** 3 });
const wish = {
  clipId: id,
  settings,
  model: nullable(text(200, 1)),
  device: fc.constantFrom(...deviceChoices),
};
const aboutJob = { requestId, jobId: id };

const clientMessages: Readonly<Record<string, Readonly<Record<string, Arbitrary<unknown>>>>> = {
  identify: { requestId, nonce: sha256 },
  pair: { requestId, protocol: positive, code: text(80, 1), name: text(100, 1) },
  hello: { requestId, protocol: positive, client: peer, token: text(200) },
  'diagnostics-get': { requestId },
  'storage-get': { requestId },
  'models-get': { requestId },
  'licence-get': { requestId, modelId: text(64, 1) },
  'model-download': { requestId, modelId: text(64, 1), acceptedLicence: nullable(sha256) },
  'model-download-pause': { requestId, modelId: text(64, 1) },
  'model-download-cancel': { requestId, modelId: text(64, 1) },
  'model-remove': { requestId, kind: fc.constantFrom('checkpoint', 'lora'), name: text(200, 1) },
  'sample-get': { requestId, modelId: text(200, 1), sample: text(60, 1) },
  'upload-begin': {
    requestId,
    sizeBytes,
    extension: nullable(fc.constantFrom(...clipExtensions)),
    sha256: nullable(sha256),
    uploadId: nullable(id),
  },
  'upload-end': { requestId, streamId, sha256 },
  'clip-get': { requestId, clipId: id },
  'clip-delete': { requestId, clipId: id },
  estimate: { requestId, estimateId: requestId, ...wish },
  'job-create': { requestId, key, ...wish, priority },
  'job-list': { requestId, afterJobId: nullable(id) },
  'job-get': aboutJob,
  'job-cancel': aboutJob,
  'job-pause': aboutJob,
  'job-resume': aboutJob,
  'job-move': { ...aboutJob, beforeJobId: nullable(id) },
  'job-delete': aboutJob,
  'download-begin': { ...aboutJob, offset: count },
  'download-ack': { streamId, receivedBytes: count },
  'frame-get': {
    requestId,
    side: fc.constantFrom(...frameSides),
    id,
    frameIndex: count,
    maxSide: fc.integer({ min: 16, max: 4_096 }),
  },
  'playback-get': { ...aboutJob, side: fc.constantFrom(...frameSides) },
  'frames-get': {
    ...aboutJob,
    side: fc.constantFrom(...frameSides),
    firstFrame: count,
    frames: fc.integer({ min: 1, max: 64 }),
    maxSide: fc.integer({ min: 16, max: 4_096 }),
  },
  'stream-cancel': { streamId },
};

const estimate = fc.record({
  frames: count,
  unetEvaluations: amount,
  seconds: nullable(amount),
  peakMemoryBytes: amount,
  diskBytes: amount,
  fits: fc.boolean(),
  advice: nullable(text(100)),
});
const found = {
  title: text(200, 1),
  goodFor: text(200),
  family: nullable(text(200)),
  sizeBytes: nullable(count),
  source: fc.constantFrom(...modelSources),
  folder: text(400),
  problem: nullable(text(200)),
};
const vocabulary = fc.record({
  sentence: text(200, 1),
  parts: fc.array(
    fc.record({
      name: text(40, 1),
      phrases: fc.array(fc.array(text(100), { maxLength: 2 }), { maxLength: 2 }),
      standIn: nullable(text(100, 1)),
    }),
    { maxLength: 2 },
  ),
  samples: fc.array(
    fc.record({
      name: fc.constantFrom('ball', 'ball-2'),
      title: text(100, 1),
      sizeBytes: count,
      sha256,
      sourcePrompt: text(100, 1),
      prompts: fc.array(text(100, 1), { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
});
const models = fc.array(fc.record({ id: text(200, 1), ...found, vocabulary: nullable(vocabulary) }), { maxLength: 3 });
const loras = fc.array(fc.record({ name: text(200, 1), ...found }), { maxLength: 3 });
const window = fc.integer({ min: 1, max: 4 * 1024 * 1024 });
const serverMessages: typeof clientMessages = {
  identity: {
    requestId,
    name: text(100, 1),
    version: text(100, 1),
    protocol: positive,
    instanceId: id,
    proof: sha256,
  },
  paired: { requestId, clientId: id, token: text(200, 1) },
  welcome: {
    requestId,
    protocol: positive,
    server: peer,
    device: nullable(fc.constantFrom(...devices)),
    models,
  },
  storage: { requestId, clipsBytes: count, resultsBytes: count, cacheBytes: count, freeBytes: count },
  models: {
    requestId,
    models,
    loras,
    notices: fc.array(text(100, 1), { maxLength: 3 }),
    folders: fc.array(fc.record({ source: fc.constantFrom(...modelSources), title: text(200, 1), models: count }), {
      maxLength: 2,
    }),
    offers: fc.array(
      fc.record({
        id: text(64, 1),
        title: text(200, 1),
        kind: fc.constantFrom(...offerKinds),
        family: text(200, 1),
        goodFor: text(200),
        licenceName: text(200, 1),
        sizeBytes: count,
        state: fc.constantFrom(...offerStates),
      }),
      { maxLength: 2 },
    ),
    freeBytes: nullable(count),
  },
  licence: {
    requestId,
    modelId: text(64, 1),
    name: text(200, 1),
    url: text(500, 1),
    text: nullable(text(2_000)),
    sha256,
  },
  'model-download-taken': { requestId, modelId: text(64, 1) },
  'model-downloads': {
    downloads: fc.array(
      fc.record({
        id: text(64, 1),
        title: text(200, 1),
        state: fc.constantFrom(...downloadStates),
        doneBytes: count,
        totalBytes: count,
        bytesPerSecond: nullable(fc.double({ min: 0, max: 1e12, noNaN: true })),
        error: nullable(error),
      }),
      { maxLength: 2 },
    ),
  },
  'models-changed': {},
  'model-removed': { requestId, kind: fc.constantFrom(...offerKinds), name: text(200, 1) },
  'sample-ready': { requestId, streamId, sizeBytes: fc.integer({ min: 1, max: 4 * 1024 * 1024 }) },
  diagnostics: {
    requestId,
    checks: fc.array(
      fc.record({
        name: text(100, 1),
        status: fc.constantFrom(...checkStatuses),
        detail: text(100),
        advice: nullable(text(100)),
      }),
      { maxLength: 3 },
    ),
  },
  'disk-changed': {
    shortages: fc.array(
      fc.record({
        folder: fc.constantFrom(...storeFolders),
        freeBytes: count,
        missingBytes: count,
      }),
      { maxLength: 2 },
    ),
  },
  'upload-ready': {
    requestId,
    uploadId: id,
    streamId,
    receivedBytes: sizeBytes,
    windowBytes: window,
    chunkBytes: fc.integer({ min: 1, max: 512 * 1024 }),
  },
  'upload-ack': { streamId, receivedBytes: sizeBytes },
  'upload-done': { requestId, clipId: id, media },
  clip: { requestId, clipId: id, sizeBytes, sha256, media },
  'clip-deleted': { requestId, clipId: id },
  estimated: { requestId, estimateId: requestId, edit: estimate, preview: nullable(estimate) },
  'estimate-canceled': { requestId, estimateId: requestId },
  job: { requestId, job },
  'job-listed': { requestId, jobs: fc.array(job, { maxLength: 3 }), isComplete: fc.boolean() },
  'job-deleted': aboutJob,
  'job-changed': { job },
  'job-positions': {
    positions: fc.array(fc.record({ jobId: id, position: count }), { maxLength: 3 }),
  },
  'job-progress': { jobId: id, progress },
  'download-ready': { requestId, streamId, sizeBytes: count, sha256, windowBytes: window },
  'frame-ready': { requestId, streamId, sizeBytes: window },
  playback: {
    requestId,
    url: text(200, 1),
    expiresInSeconds: amount,
    frames: positive,
    frameRate: rational,
    sizeBytes: count,
  },
  'frames-ready': { requestId, streamId, sizes: fc.array(window, { maxLength: 64 }) },
  'job-picture': { jobId: id, streamId, sizeBytes: window, frameIndex: count },
  'stream-failed': { streamId, error },
  error: { requestId: nullable(requestId), error },
};

/** One place in a value, replaced by something else. */
function damage(value: unknown, path: readonly number[], replacement: unknown): unknown {
  const [first, ...rest] = path;
  if (typeof value !== 'object' || value === null || first === undefined) return replacement;
  const names = Object.keys(value);
  const name = names[first % names.length];
  if (name === undefined) return replacement;
  const copy: Record<string, unknown> = Array.isArray(value)
    ? (Object.assign([], value) as unknown as Record<string, unknown>)
    : { ...value };
  copy[name] = damage(copy[name], rest, replacement);
  return copy;
}

describe.each([
  ['client', clientMessages, parseClientMessage],
  ['server', serverMessages, parseServerMessage],
] as const)('a message of the %s', (_side, messages, parse) => {
  const cases = Object.entries(messages).map(
    ([type, fields]) => [type, fc.record({ type: fc.constant(type), ...fields })] as const,
  );

  test.each(cases)('%s is read as it was said', (_type, message) => {
    fc.assert(
      fc.property(message, (said) => {
        expect(parse(JSON.stringify(said))).toEqual(said);
      }),
      { numRuns: 40 },
    );
  });

  test.each(cases)('%s with a damaged field is read or refused by its path', (_type, message) => {
    const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(message, path, fc.jsonValue(), (said, place, replacement) => {
        try {
          parse(JSON.stringify(damage(said, place, replacement)));
        } catch (refusal) {
          expect(refusal).toBeInstanceOf(FieldError);
          expect((refusal as FieldError).path).toMatch(/^message(\.|$)/);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('is one of those that the parser knows, and each of them is tried here', () => {
    const known = /must be one of (.*)\.$/;
    expect(() => parse('{}')).toThrow(known);
    try {
      parse('{}');
    } catch (refusal) {
      const [, list = ''] = known.exec((refusal as Error).message) ?? [];
      expect(Object.keys(messages).sort()).toEqual(list.split(', ').sort());
    }
  });
});
