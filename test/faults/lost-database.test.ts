// A data folder whose database is gone, empty, or an older copy: what people sent and what was computed for them stays.

import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createJob, outcomeOf, uploadTo } from '../e2e/test-jobs.ts';
import { connectTo, startTestServer } from '../e2e/test-server.ts';
import { createWorkspace, type Workspace } from '../e2e/workspace.ts';

const databaseFiles = ['tokenflow.db', 'tokenflow.db-wal', 'tokenflow.db-shm'];

/** A workspace on which a server has edited its clip, and has stopped. */
async function createUsed(): Promise<Workspace & { readonly jobId: string }> {
  const workspace = await createWorkspace();
  const server = await startTestServer(workspace);
  const steady = await connectTo(server);
  const jobId = await createJob(steady, await uploadTo(steady, workspace));
  expect(await outcomeOf(steady, jobId)).toMatchObject({ state: 'done' });
  await server.close();
  return { ...workspace, jobId };
}

/** What was set aside, by its path below the folder of that start. */
async function setAside({ dataDir }: Workspace): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const folder = join(dataDir, 'set-aside');
  for (const start of await readdir(folder)) {
    const names = await readdir(join(folder, start), { recursive: true });
    for (const name of names) {
      const content = await readFile(join(folder, start, name)).catch(() => null);
      if (content !== null) found.set(name, content);
    }
  }
  return found;
}

async function removeDatabase({ dataDir }: Workspace): Promise<void> {
  for (const name of databaseFiles) await rm(join(dataDir, name), { force: true });
}

test.each([
  ['is gone', removeDatabase],
  [
    'is empty',
    async (workspace: Workspace) => {
      await removeDatabase(workspace);
      await writeFile(join(workspace.dataDir, 'tokenflow.db'), '');
    },
  ],
])('where the database %s, a start deletes no clip and no result', async (_how, damage) => {
  const workspace = await createUsed();
  await damage(workspace);
  await startTestServer(workspace);
  const found = await setAside(workspace);
  const clips = [...found].filter(([name]) => name.startsWith('clips'));
  expect(clips.map(([, content]) => content.equals(workspace.clipBytes))).toEqual([true]);
  const result = found.get(join('jobs', workspace.jobId, 'result.mov'));
  expect(result?.equals(workspace.clipBytes)).toBe(true);
});

test('where the database is an older copy, what is newer is set aside and what it knows is kept', async () => {
  const workspace = await createUsed();
  const backup = join(workspace.folder, 'backup');
  await mkdir(backup);
  const present = (await readdir(workspace.dataDir)).filter((name) => databaseFiles.includes(name));
  for (const name of present) await copyFile(join(workspace.dataDir, name), join(backup, name));
  const newer = { clipPath: join(workspace.folder, 'newer.mp4') };
  await writeFile(newer.clipPath, 'a newer clip');
  const server = await startTestServer(workspace);
  const steady = await connectTo(server);
  const newJobId = await createJob(steady, await uploadTo(steady, newer));
  await outcomeOf(steady, newJobId);
  await server.close();
  await removeDatabase(workspace);
  for (const name of present) await copyFile(join(backup, name), join(workspace.dataDir, name));
  const restored = await connectTo(await startTestServer(workspace));
  const found = await setAside(workspace);
  expect(found.get(join('jobs', newJobId, 'result.mov'))?.toString()).toBe('a newer clip');
  expect([...found.values()].filter((content) => content.includes('a newer clip'))).toHaveLength(2);
  const { jobId } = workspace;
  expect(await outcomeOf(restored, jobId)).toMatchObject({ state: 'done' });
  const kept = await readFile(join(workspace.dataDir, 'jobs', jobId, 'result.mov'));
  expect(kept.equals(workspace.clipBytes)).toBe(true);
});

test('a job that is deleted while its files cannot be removed leaves a mark, and goes with the next start', async () => {
  const workspace = await createUsed();
  const { dataDir, jobId } = workspace;
  // What a server leaves that ends after the mark and before the removal.
  const mark = join(dataDir, 'jobs', `removed-${jobId}`);
  await writeFile(mark, '');
  await removeDatabase(workspace);
  await startTestServer(workspace);
  expect(await readdir(join(dataDir, 'jobs'))).toEqual([]);
  expect([...(await setAside(workspace)).keys()].some((name) => name.includes(jobId))).toBe(false);
});
