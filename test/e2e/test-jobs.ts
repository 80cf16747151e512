// What a test does with jobs on a test server.

import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../../protocol/client/client.ts';
import { uploadClip } from '../../companion-server/src/client/transfer.ts';
import { watchJob } from '../../protocol/client/watch-job.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import type { JobView } from '../../protocol/job.ts';
import type { Workspace } from './workspace.ts';

/** Returns the id of the clip. */
export async function uploadTo(steady: Client, { clipPath }: Pick<Workspace, 'clipPath'>): Promise<string> {
  const { clipId } = await uploadClip(steady, clipPath);
  return clipId;
}

/** Returns the id of the job. */
export async function createJob(steady: Client, clipId: string, prompt = 'x'): Promise<string> {
  const settings = { ...defaultSettings(), prompt };
  const wish = { clipId, settings, model: null, device: 'cpu', priority: 0 } as const;
  const key = randomUUID();
  const { job } = await steady.request({ type: 'job-create', key, ...wish });
  return job.jobId;
}

/** The job with its outcome, or paused with the error that did it. */
export const outcomeOf = (steady: Client, jobId: string): Promise<JobView> => watchJob(steady, jobId);

/** Resolves when the engine has reported progress of the job. */
export function progressOf(steady: Client, jobId: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = steady.onJobs({
      onJob: () => undefined,
      onProgress(id) {
        if (id !== jobId) return;
        stop();
        resolve();
      },
    });
  });
}

/** What lies in the folder of the job. */
export async function jobFiles({ dataDir }: Workspace, jobId: string): Promise<readonly string[]> {
  return (await readdir(join(dataDir, 'jobs', jobId), { recursive: true })).sort();
}
