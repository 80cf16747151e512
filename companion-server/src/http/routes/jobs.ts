// The jobs of everybody, for the command line of the user who runs the server.

import type { Client } from '../../pairing/pairings.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Reply, Route } from './route.ts';

type SteeredJobs = Pick<Jobs, 'list' | 'ownerOf' | 'cancel' | 'pause' | 'resume' | 'move' | 'remove'>;

/** `owners`: whose jobs there may be, those included that are not paired any more. */
export function jobRoutes(jobs: SteeredJobs, owners: () => readonly Client[]): readonly Route[] {
  const listAll = (): Reply => ({
    json: {
      jobs: owners().flatMap(({ clientId, name }) => jobs.list(clientId).map((job) => ({ owner: name, job }))),
    },
  });

  const steer = (name: string, act: (owner: string, jobId: string, query: URLSearchParams) => unknown): Route => ({
    method: 'POST',
    path: `/jobs/:jobId/${name}`,
    access: 'local',
    async handle({ parameters, query }) {
      const jobId = parameters['jobId'] ?? '';
      await act(jobs.ownerOf(jobId), jobId, query);
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
