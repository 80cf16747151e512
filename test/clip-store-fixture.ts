// A clip store in a folder of its own, for its tests.

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { MediaFacts } from '../protocol/media-facts.ts';
import { testMedia } from './fixtures/media.ts';
import { openLocalArtifacts } from '../companion-server/src/artifacts/local-store.ts';
import { openDatabase, type Database } from '../companion-server/src/store/database.ts';
import { createSetAside } from '../companion-server/src/store/orphaned-files.ts';
import type { Clip } from '../companion-server/src/clips/clip.ts';
import { writePictureClip } from '../companion-server/src/media/encode/picture-clip.ts';
import { openClipStore, type ClipStore } from '../companion-server/src/clips/clip-store.ts';
import { clipTables } from '../companion-server/src/clips/tables.ts';

export const owner = 'a'.repeat(32);
export const other = 'b'.repeat(32);
export const day = 24 * 60 * 60 * 1_000;
export const bytes = Buffer.from('not really a clip');
export const sha256 = sha256Of(bytes);
export const request = {
  sizeBytes: bytes.length,
  extension: 'mov',
  sha256: null,
  uploadId: null,
} as const;

export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

interface Fixture {
  readonly store: ClipStore;
  readonly dataDir: string;
  /** Where the bytes of a clip lie. */
  readonly pathOf: (clip: Clip) => string;
  /** Paths that were looked into. */
  readonly probed: string[];
  /** What was set aside: from where to where. */
  readonly moved: (readonly [string, string])[];
  /** Another server on the same folder, as after a kill. */
  readonly restart: () => Promise<ClipStore>;
  readonly files: () => Promise<{ readonly clips: string[]; readonly uploads: string[] }>;
  readonly clock: { now: number };
}

export async function createFixture(
  probe?: (path: string) => Promise<MediaFacts>,
  wrap: (database: Database) => Database = (database) => database,
): Promise<Fixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-clips-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const probed: string[] = [];
  const moved: (readonly [string, string])[] = [];
  const clock = { now: 1_000 * day };
  const restart = async (): Promise<ClipStore> => {
    const database = wrap(openDatabase(join(dataDir, 'tokenflow.db'), [clipTables]));
    const setAside = createSetAside({
      dataDir,
      onMoved: (from, to) => moved.push([from, to]),
      onFailure: (_from, error) => expect.fail(String(error)),
      now: () => new Date(0),
    });
    const artifacts = await openLocalArtifacts({ dataDir, setAside });
    const store = await openClipStore({
      database,
      artifacts,
      dataDir,
      probe(path) {
        probed.push(path);
        return probe?.(path) ?? Promise.resolve(testMedia);
      },
      fromPicture: writePictureClip,
      setAside,
      now: () => clock.now,
    });
    onTestFinished(async () => {
      await store.close();
      database.close();
    });
    return store;
  };
  const files = async () => ({
    clips: await readdir(join(dataDir, 'clips')),
    uploads: await readdir(join(dataDir, 'uploads')),
  });
  const pathOf = ({ artifact }: Clip): string => join(dataDir, artifact);
  return { store: await restart(), dataDir, pathOf, probed, moved, restart, files, clock };
}

export async function send(store: ClipStore, from = owner, content: Uint8Array = bytes) {
  const upload = await store.begin(from, { ...request, sizeBytes: content.length });
  await upload.write(0, content);
  return upload.finish(sha256Of(content));
}
