// The jobs of everybody, for the command line of the user who runs the server.

import { EditError } from '../../errors.ts';
import type { Client } from '../../pairing/pairings.ts';
import type { Jobs } from '../session-deps.ts';
import type { Reply, Route } from './route.ts';

type SteeredJobs = Pick<Jobs, 'list' | 'cancel' | 'pause' | 'resume' | 'move' | 'remove'>;

/** `owners`: whose jobs there may be, those included that are not paired any more. */
export function jobRoutes(jobs: SteeredJobs, owners: () => readonly Client[]): readonly Route[] {
  const listAll = (): Reply => ({
    json: {
      jobs: owners().flatMap(({ clientId, name }) =>
        jobs.list(clientId).map((job) => ({ owner: name, job })),
      ),
    },
  });

  function ownerOf(jobId: string): string {
    const owner = owners().find(({ clientId }) =>
      jobs.list(clientId).some((job) => job.jobId === jobId),
    );
    if (owner !== undefined) return owner.clientId;
    throw new EditError('job-missing', `There is no job ${jobId}.`);
  }

  const steer = (
    name: string,
    act: (owner: string, jobId: string, query: URLSearchParams) => unknown,
  ): Route => ({
    method: 'POST',
    path: `/jobs/:jobId/${name}`,
    access: 'local',
    async handle({ parameters, query }) {
      const jobId = parameters['jobId'] ?? '';
      await act(ownerOf(jobId), jobId, query);
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
