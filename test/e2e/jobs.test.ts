// Jobs that outlive what happens to them: a pause, a server that stops, an engine that dies, a full disk.

import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SteadyConnection } from '../../companion-server/src/client/steady-connection.ts';
import { uploadClip } from '../../companion-server/src/client/upload.ts';
import { watchJob } from '../../companion-server/src/client/watch-job.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import type { JobState, JobView } from '../../protocol/job.ts';
import type { ServerMessage } from '../../protocol/server-messages.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

async function upload(steady: SteadyConnection, { clipPath }: Workspace): Promise<string> {
  const { clipId } = await uploadClip(steady, { clipPath, onProgress: () => undefined });
  return clipId;
}

async function create(steady: SteadyConnection, clipId: string, prompt = 'x'): Promise<string> {
  const settings = { ...defaultSettings(), prompt };
  const wish = { clipId, settings, model: null, device: 'cpu', priority: 0 } as const;
  const key = randomUUID();
  const { job } = await steady.request({ type: 'job-create', key, ...wish });
  return job.jobId;
}

const outcomeOf = (steady: SteadyConnection, jobId: string): Promise<JobView> =>
  watchJob(steady, jobId, () => undefined, undefined);

/** Resolves when the engine has reported progress of the job. */
function progressOf(steady: SteadyConnection, jobId: string): Promise<void> {
  return steady.run(
    ({ connection }) =>
      new Promise((resolve) => {
        const stop = connection.onEvent((event) => {
          if (event.type !== 'job-progress' || event.jobId !== jobId) return;
          stop();
          resolve();
        });
      }),
  );
}

async function jobFiles({ dataDir }: Workspace, jobId: string): Promise<readonly string[]> {
  return (await readdir(join(dataDir, 'jobs', jobId), { recursive: true })).sort();
}

test('a paused job keeps its finished step, and goes on from there', async () => {
  const workspace = await createWorkspace();
  const steady = await connectTo(await startTestServer(workspace, 'stopping'));
  const jobId = await create(steady, await upload(steady, workspace));
  await progressOf(steady, jobId);
  const { job: paused } = await steady.request({ type: 'job-pause', jobId });
  expect(paused).toMatchObject({ state: 'paused', progress: { step: 1 } });
  expect(await jobFiles(workspace, jobId)).toContain(join('work', 'step'));
  await steady.request({ type: 'job-resume', jobId });
  const { state, resumes, result } = await outcomeOf(steady, jobId);
  expect([state, resumes]).toEqual(['done', 1]);
  expect(result?.sha256).toBe(createHash('sha256').update(workspace.clipBytes).digest('hex'));
});

test('a server that stops tells its clients, and the next one finishes the job', async () => {
  const workspace = await createWorkspace();
  const first = await startTestServer(workspace, 'stopping');
  const before = await connectTo(first);
  const clipId = await upload(before, workspace);
  const [running, waiting] = [await create(before, clipId), await create(before, clipId)];
  await progressOf(before, running);
  const told: string[] = [];
  await before.run(({ connection }) => {
    connection.onEvent((event: ServerMessage) => {
      if (event.type !== 'job-changed') return;
      told.push(`${event.job.jobId} ${event.job.state} ${event.job.position ?? '-'}`);
    });
    return Promise.resolve();
  });
  await first.close();
  expect(told).toEqual([`${running} queued 0`, `${waiting} queued 1`]);
  const second = await startTestServer(workspace, 'stopping');
  const after = await connectTo(second);
  expect(await outcomeOf(after, running)).toMatchObject({ state: 'done', resumes: 1 });
  const path = join(workspace.dataDir, 'jobs', running, 'result.mov');
  expect(workspace.clipBytes.equals(await readFile(path))).toBe(true);
  await second.close();
  expect(await jobFiles(workspace, running)).toEqual(['result.mov']);
});

test('one server uses a data folder at a time', async () => {
  const workspace = await createWorkspace();
  const first = await startTestServer(workspace);
  await expect(startTestServer(workspace)).rejects.toMatchObject({
    code: 'invalid-request',
    message: `Another companion server uses the data folder ${workspace.dataDir}.`,
  });
  await first.close();
  await (await startTestServer(workspace)).close();
});

test('an engine that dies once is no matter; one that dies twice at one step sets its job aside, with its work', async () => {
  const workspace = await createWorkspace();
  const steady = await connectTo(await startTestServer(workspace, 'crashing-once'));
  const clipId = await upload(steady, workspace);
  const doomed = await create(steady, clipId, 'crash always');
  const next = await create(steady, clipId);
  const { state, error } = await outcomeOf(steady, doomed);
  expect([state, error?.code]).toEqual(['paused', 'engine-crashed']);
  expect(error?.message).toContain('its engine process died 2 times without');
  expect(await outcomeOf(steady, next)).toMatchObject({ state: 'done', resumes: 1 });
  expect(await jobFiles(workspace, doomed)).toContain(join('work', 'resume-point.json'));
  const { job } = await steady.request({ type: 'job-resume', jobId: doomed });
  expect(job).toMatchObject({ error: null });
  expect(await outcomeOf(steady, doomed)).toMatchObject({ state: 'paused' });
});

test('an engine that dies five times, each time one step further, loses nothing', async () => {
  const workspace = await createWorkspace();
  const steady = await connectTo(await startTestServer(workspace, 'crashing-once'));
  const jobId = await create(steady, await upload(steady, workspace), 'crash at every step');
  expect(await outcomeOf(steady, jobId)).toMatchObject({ state: 'done', resumes: 5 });
});

test('a job that finds the disk full waits with what it has, the next one runs, and it goes on when resumed', async () => {
  const workspace = await createWorkspace();
  const steady = await connectTo(await startTestServer(workspace, 'disk-full'));
  const clipId = await upload(steady, workspace);
  const full = await create(steady, clipId, 'full');
  const next = await create(steady, clipId);
  const { state, error } = await outcomeOf(steady, full);
  expect([state, error?.code, error?.retryable]).toEqual(['paused', 'disk-full', true]);
  expect((await outcomeOf(steady, next)).state).toBe('done');
  expect(await jobFiles(workspace, full)).toContain(join('work', 'edit.latents'));
  const { job } = await steady.request({ type: 'job-resume', jobId: full });
  expect(job.error).toBeNull();
  expect(await outcomeOf(steady, full)).toMatchObject({ state: 'done', resumes: 1 });
});

test('a job that is canceled leaves the queue at once and its folder when its engine has ended', async () => {
  const workspace = await createWorkspace();
  const steady = await connectTo(await startTestServer(workspace, 'stopping'));
  const jobId = await create(steady, await upload(steady, workspace));
  await progressOf(steady, jobId);
  const states: JobState[] = [];
  for (const type of ['job-cancel', 'job-get'] as const) {
    states.push((await steady.request({ type, jobId })).job.state);
  }
  expect(states).toEqual(['canceled', 'canceled']);
  await steady.request({ type: 'job-delete', jobId });
  expect(await readdir(join(workspace.dataDir, 'jobs'))).toEqual([]);
});
