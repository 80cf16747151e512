// A session with a client that only listens, on a server that has no jobs.

import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parseChunk, type Chunk } from '../../protocol/messages/chunk.ts';
import type { Estimate } from '../../protocol/estimate.ts';
import { chunkBytes } from '../../protocol/limits.ts';
import type { ServerMessage } from '../../protocol/messages/server-messages.ts';
import { makeLoraInfo, makeModelInfo, nothingElse } from '../../protocol/testing/models.ts';
import { protocolVersion } from '../../protocol/version.ts';
import { testMedia as media } from '../fixtures/media.ts';
import { openLocalArtifacts } from '../../companion-server/src/artifacts/local-store.ts';
import { writePictureClip } from '../../companion-server/src/media/encode/picture-clip.ts';
import { openClipStore } from '../../companion-server/src/clips/clip-store.ts';
import { clipTables } from '../../companion-server/src/clips/tables.ts';
import { EditError } from '../../companion-server/src/errors.ts';
import { createLog } from '../../companion-server/src/app/log.ts';
import { createIdentity } from '../../companion-server/src/pairing/identity.ts';
import { openDatabase } from '../../companion-server/src/store/database.ts';
import type { SessionDeps } from '../../companion-server/src/api/session/session-deps.ts';
import { createSession, type Session } from '../../companion-server/src/api/session/session.ts';

export const token = 'f'.repeat(64);
export const owner = 'a'.repeat(32);
export const hello = {
  type: 'hello',
  requestId: 0,
  protocol: protocolVersion,
  client: { name: 'test', version: '0' },
  token,
};

export interface SessionFixture {
  readonly session: Session;
  readonly heard: ServerMessage[];
  readonly closings: string[];
  readonly chunks: Chunk[];
  readonly dataDir: string;
  readonly say: (message: object) => void;
  /** Resolves when the client has been told so many messages in all. */
  readonly hears: (count: number) => Promise<void>;
  /** A further connection to the same server. */
  readonly connect: () => Omit<SessionFixture, 'dataDir' | 'connect'>;
}

export const oneEstimate: Estimate = {
  frames: 1,
  unetEvaluations: 2,
  seconds: null,
  peakMemoryBytes: 3,
  diskBytes: 4,
  fits: false,
  advice: 'Buy a larger machine.',
};

export interface SessionFixtureOptions {
  readonly diagnose?: SessionDeps['diagnose'];
  readonly estimate?: SessionDeps['estimateEdit'];
  readonly check?: SessionDeps['checkEdit'];
}

/** A session with a client that only listens, on a server that has no jobs. */
export async function createSessionFixture({
  diagnose = () => Promise.resolve([]),
  estimate = () => Promise.resolve(oneEstimate),
  check = () => Promise.resolve(),
}: SessionFixtureOptions = {}): Promise<SessionFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-session-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const database = openDatabase(':memory:', [clipTables]);
  const setAside = (): Promise<void> => Promise.resolve();
  const artifacts = await openLocalArtifacts({ dataDir, setAside });
  const clips = await openClipStore({
    database,
    artifacts,
    dataDir,
    probe: () => Promise.resolve(media),
    fromPicture: writePictureClip,
    setAside,
  });
  const missing = (): Promise<never> => Promise.reject(new EditError('job-missing', 'There is no such job.'));
  const deps: SessionDeps = {
    version: '0',
    identity: createIdentity('d'.repeat(32), 'f'.repeat(64)),
    pairings: {
      authenticate: (presented) => (presented === token ? { clientId: owner, name: 'test' } : null),
      exchange(code, name) {
        if (code === 'right') return Promise.resolve({ client: { clientId: owner, name }, token });
        return Promise.reject(new EditError('pairing-refused', 'The code is wrong.'));
      },
      noteSeen: () => undefined,
    },
    models: () => [makeModelInfo({ id: 'model', title: 'Model', goodFor: 'tests' })],
    storage: () => Promise.resolve({ clipsBytes: 1, resultsBytes: 2, cacheBytes: 3, freeBytes: 4 }),
    lookForModels: () =>
      Promise.resolve({
        models: [makeModelInfo({ id: 'new' })],
        loras: [makeLoraInfo({ name: 'film' })],
        ...nothingElse,
      }),
    modelChanges: {
      downloads: null,
      remove: missing,
      readSample: missing,
      subscribe: () => () => undefined,
    },
    device: () => 'cpu',
    disks: { shortages: () => [], subscribe: () => () => undefined },
    clips,
    artifacts,
    checkEdit: check,
    estimateEdit: estimate,
    jobs: {
      get: missing,
      cancel: missing,
      pause: missing,
      resume: missing,
      move: missing,
      add: missing,
      remove: missing,
      list: () => Promise.resolve([]),
      ownerOf: missing,
      hasKey: () => Promise.resolve(false),
      needsClip: () => Promise.resolve(false),
      subscribe: () => () => undefined,
    },
    readPicture: (path, frameIndex) =>
      frameIndex === 40
        ? Promise.reject(new EditError('invalid-request', `"${path}" has no frame 40.`))
        : Promise.resolve(new Uint8Array(chunkBytes + frameIndex)),
    readControlPicture: (kind, path, frameIndex) =>
      frameIndex === 40
        ? Promise.reject(new EditError('invalid-request', `"${path}" has no frame 40.`))
        : Promise.resolve(new Uint8Array(kind.length)),
    readStill: () => Promise.resolve(new Uint8Array(1)),
    readMap: missing,
    playback: { open: missing, pictures: missing },
    linkSecret: new Uint8Array(32),
    diagnose,
    log: createLog({ level: 'silent', write: () => undefined }),
  };

  function connect(): ReturnType<SessionFixture['connect']> {
    const heard: ServerMessage[] = [];
    const closings: string[] = [];
    const chunks: Chunk[] = [];
    const told = new EventEmitter();
    const session = createSession(deps, {
      address: '127.0.0.1',
      port: 47_860,
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

export const begin = { type: 'upload-begin', extension: null, sha256: null, uploadId: null } as const;
/** Of the bytes 1, 2, 3. */
export const sha256 = '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81';
