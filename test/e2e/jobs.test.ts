// Jobs that outlive what happens to them: a pause, a server that stops, an engine that dies, a full disk.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JobState } from '../../protocol/job.ts';
import type { ServerMessage } from '../../protocol/messages/server-messages.ts';
import { createJob, jobFiles, outcomeOf, progressOf, uploadTo } from './test-jobs.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace } from './workspace.ts';

test('a paused job keeps its finished step, and goes on from there', async () => {
  const workspace = await createWorkspace();
  const steady = await connectTo(await startTestServer(workspace, 'stopping'));
  const jobId = await createJob(steady, await uploadTo(steady, workspace));
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
  const clipId = await uploadTo(before, workspace);
  const [running, waiting] = [await createJob(before, clipId), await createJob(before, clipId)];
  await progressOf(before, running);
  const told: string[] = [];
  const connection = await before.online();
  connection.onEvent((event: ServerMessage) => {
    if (event.type === 'job-positions') {
      told.push(...event.positions.map((moved) => `${moved.jobId} at ${moved.position}`));
    }
    if (event.type !== 'job-changed') return;
    told.push(`${event.job.jobId} ${event.job.state} ${event.job.position ?? '-'}`);
  });
  await first.close();
  expect(told).toEqual([`${running} queued 0`, `${waiting} at 1`]);
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
  const clipId = await uploadTo(steady, workspace);
  const doomed = await createJob(steady, clipId, 'crash always');
  const next = await createJob(steady, clipId);
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
  const jobId = await createJob(steady, await uploadTo(steady, workspace), 'crash at every step');
  expect(await outcomeOf(steady, jobId)).toMatchObject({ state: 'done', resumes: 5 });
});

test('a job that finds the disk full waits with what it has, the next one runs, and it goes on when resumed', async () => {
  const workspace = await createWorkspace();
  const steady = await connectTo(await startTestServer(workspace, 'disk-full'));
  const clipId = await uploadTo(steady, workspace);
  const full = await createJob(steady, clipId, 'full');
  const next = await createJob(steady, clipId);
  const { state, error } = await outcomeOf(steady, full);
  expect([state, error?.code]).toEqual(['paused', 'disk-full']);
  expect((await outcomeOf(steady, next)).state).toBe('done');
  expect(await jobFiles(workspace, full)).toContain(join('work', 'edit.latents'));
  const { job } = await steady.request({ type: 'job-resume', jobId: full });
  expect(job.error).toBeNull();
  expect(await outcomeOf(steady, full)).toMatchObject({ state: 'done', resumes: 1 });
});

test('a job that is canceled leaves the queue at once and its folder when its engine has ended', async () => {
  const workspace = await createWorkspace();
  const steady = await connectTo(await startTestServer(workspace, 'stopping'));
  const jobId = await createJob(steady, await uploadTo(steady, workspace));
  await progressOf(steady, jobId);
  const states: JobState[] = [];
  for (const type of ['job-cancel', 'job-get'] as const) {
    states.push((await steady.request({ type, jobId })).job.state);
  }
  expect(states).toEqual(['canceled', 'canceled']);
  await steady.request({ type: 'job-delete', jobId });
  expect(await readdir(join(workspace.dataDir, 'jobs'))).toEqual([]);
});
