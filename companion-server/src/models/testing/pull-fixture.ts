// For tests: a hub that has one model, a folder to pull it into, and what can be seen of a pull afterwards.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { checkpointFiles } from '../../weights/testing/made-checkpoint.ts';
import type { CatalogFile } from '../catalog-file.ts';
import { readHub } from '../hub/hub-address.ts';
import { pullModel, type PullOptions } from '../pull.ts';
import { startFakeHub } from './fake-hub.ts';

/** A file large enough that it travels in many pieces. */
export const large = 'safety_checker/model.safetensors';
export const largeBytes = 1_500_000;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface PullChanges extends Partial<PullOptions> {
  /** What the catalogue says of the files; where not given, nothing. */
  readonly files?: readonly CatalogFile[];
  readonly token?: string;
}

/** Both are gone when the test ends. */
export async function createPullFixture() {
  const modelsDir = await mkdtemp(join(tmpdir(), 'tokenflow-models-'));
  const hub = await startFakeHub({ ...checkpointFiles(), [large]: randomBytes(largeBytes) });
  onTestFinished(async () => {
    await hub.close();
    await rm(modelsDir, { recursive: true });
  });
  /** How long pulls wanted to wait before they tried again, in milliseconds. */
  const waits: number[] = [];

  function pull(changes: PullChanges = {}) {
    const unknown = [...hub.files.keys()].map((path) => ({ path, sizeBytes: null, sha256: null }));
    const { files = unknown, token, ...rest } = changes;
    return pullModel({
      model: {
        id: 'some-model',
        title: 'Some model',
        kind: 'checkpoint' as const,
        family: 'Stable Diffusion 1.x',
        goodFor: 'Tests.',
        licence: { name: 'MIT', url: 'https://example.org/' },
        memoryGigabytes: 1,
        hub: { repository: hub.repository, revision: hub.revision, downloadGigabytes: 0, files },
      },
      hub: readHub({ HF_ENDPOINT: hub.url, HF_TOKEN: token }),
      modelsDir,
      wait: (milliseconds) => {
        waits.push(milliseconds);
        return Promise.resolve();
      },
      ...rest,
    });
  }

  /** The requests that brought something of a file. */
  const gets = (path: string) =>
    hub.log.filter((entry) => entry.method === 'GET' && entry.path === path && entry.sentBytes > 0);

  /** The models that are there. */
  const visible = async () => (await readdir(modelsDir)).filter((name) => !name.startsWith('.'));

  async function expectAllFiles(): Promise<void> {
    const dir = join(modelsDir, 'some-model');
    for (const [path, bytes] of hub.files) {
      expect(sha256(await readFile(join(dir, path)))).toBe(sha256(bytes));
    }
    const leftovers = (await readdir(dir, { recursive: true })).filter((name) => /part|pulling/.test(name));
    expect(leftovers).toEqual([]);
  }

  return { modelsDir, hub, waits, pull, gets, visible, expectAllFiles };
}

export type PullFixture = Awaited<ReturnType<typeof createPullFixture>>;
