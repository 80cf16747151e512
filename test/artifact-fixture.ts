// Artifacts in a folder of their own, which goes when the test ends.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { ArtifactStore } from '../companion-server/src/artifacts/artifact-store.ts';
import { openLocalArtifacts } from '../companion-server/src/artifacts/local-store.ts';
import { createSetAside } from '../companion-server/src/store/orphaned-files.ts';

export async function makeDataFolder(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-artifacts-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** The store of this machine. */
export async function openTestArtifacts(folder?: string): Promise<ArtifactStore> {
  const dataDir = folder ?? (await makeDataFolder());
  const onFailure = (_from: string, error: unknown): never => expect.fail(String(error));
  return openLocalArtifacts({ dataDir, setAside: createSetAside({ dataDir, onMoved: () => undefined, onFailure }) });
}
