// The jobs of all clients, for the command line of the user who runs the server.

import type { Client } from '../../pairing/pairings.ts';
import type { FarmMember } from '../../farm/members.ts';
import type { JobQueue } from '../../jobs/queue.ts';
import type { Reply, Route } from './route.ts';

type SteeredJobs = Pick<JobQueue, 'list' | 'ownerOf' | 'cancel' | 'pause' | 'resume' | 'move' | 'remove'>;

/**
 * `owners`: whose jobs there may be, those included that are not paired any more. `members`: who does them, where several
 * machines do.
 */
export function jobRoutes(
  jobs: SteeredJobs,
  owners: () => readonly Client[],
  members: () => Promise<readonly FarmMember[]> = () => Promise.resolve([]),
): readonly Route[] {
  async function listAll(): Promise<Reply> {
    const all = [];
    const workers = new Map((await members()).map(({ jobId, name }) => [jobId, name]));
    for (const { clientId, name } of owners()) {
      for (const job of await jobs.list(clientId)) {
        const worker = job.state === 'running' ? workers.get(job.jobId) : undefined;
        all.push({ owner: name, job, ...(worker === undefined ? {} : { worker }) });
      }
    }
    return { json: { jobs: all } };
  }

  const steer = (name: string, act: (owner: string, jobId: string, query: URLSearchParams) => unknown): Route => ({
    method: 'POST',
    path: `/jobs/:jobId/${name}`,
    access: 'local',
    async handle({ parameters, query }) {
      const jobId = parameters['jobId'] ?? '';
      await act(await jobs.ownerOf(jobId), jobId, query);
      return listAll();
    },
  });

  return [
    { method: 'GET', path: '/jobs', access: 'local', handle: listAll },
    steer('cancel', (owner, jobId) => jobs.cancel(owner, jobId)),
    steer('pause', (owner, jobId) => jobs.pause(owner, jobId)),
    steer('resume', (owner, jobId) => jobs.resume(owner, jobId)),
    steer('move', (owner, jobId, query) => jobs.move(owner, jobId, query.get('before'))),
    steer('delete', (owner, jobId) => jobs.remove(owner, jobId)),
  ];
}
