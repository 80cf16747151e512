// Artifacts in a data folder, and what an earlier process has left there.

import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDataFolder, openTestArtifacts } from '../../../test/artifact-fixture.ts';
import { describeArtifactStore } from '../../../test/contracts/artifact-store.ts';

describeArtifactStore('a data folder', async () => {
  const dataDir = await makeDataFolder();
  return { arrivals: dataDir, open: () => openTestArtifacts(dataDir) };
});

describe('a data folder', () => {
  test('has each artifact at the path that its id is', async () => {
    const dataDir = await makeDataFolder();
    const store = await openTestArtifacts(dataDir);
    const path = join(dataDir, 'jobs', 'j', 'result.mov');
    expect(await store.localPath('jobs/j/result.mov')).toBe(path);
    await writeFile(join(dataDir, 'arriving'), 'x');
    await store.put('jobs/j/result.mov', join(dataDir, 'arriving'));
    expect(await readFile(path, 'utf8')).toBe('x');
  });

  test('ends the removals of an earlier process at its start, of older versions as well', async () => {
    const dataDir = await makeDataFolder();
    await mkdir(join(dataDir, 'jobs', 'kept'), { recursive: true });
    await mkdir(join(dataDir, 'jobs', 'removed-moved', 'work'), { recursive: true });
    // A folder that could not be moved, and the mark that says so.
    await mkdir(join(dataDir, 'jobs', 'stuck', 'work'), { recursive: true });
    await writeFile(join(dataDir, 'jobs', 'removed-stuck'), '');
    await mkdir(join(dataDir, 'clips'));
    await writeFile(join(dataDir, 'clips', 'removed-0123456789abcdef'), 'clip');
    await openTestArtifacts(dataDir);
    expect(await readdir(join(dataDir, 'jobs'))).toEqual(['kept']);
    expect(await readdir(join(dataDir, 'clips'))).toEqual([]);
  });

  test('moves what is set aside to where a person finds it', async () => {
    const dataDir = await makeDataFolder();
    const store = await openTestArtifacts(dataDir);
    await writeFile(join(dataDir, 'clips', 'stranger.mov'), 'x');
    await store.setAside('clips/stranger.mov');
    const [time = ''] = await readdir(join(dataDir, 'set-aside'));
    expect(await readFile(join(dataDir, 'set-aside', time, 'clips', 'stranger.mov'), 'utf8')).toBe('x');
  });
});
