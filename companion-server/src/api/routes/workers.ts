// Who does the jobs of a server that shares them with other machines, for the command line of the user who runs it.

import { EditError } from '../../errors.ts';
import type { FarmMember } from '../../farm/members.ts';
import type { JobQueue } from '../../jobs/queue.ts';
import type { Route } from './route.ts';

export interface WorkerRouteDeps {
  /** Null where the server does its jobs alone. */
  readonly members: (() => Promise<readonly FarmMember[]>) | null;
  readonly jobs: Pick<JobQueue, 'countByState'>;
}

export function workerRoutes({ members, jobs }: WorkerRouteDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/workers',
      access: 'local',
      async handle() {
        if (members === null) {
          throw new EditError('invalid-request', 'The server shares its jobs with no other machine.', {
            hint: 'TOKENFLOW_QUEUE and TOKENFLOW_STORE change that; see docs/farm.md.',
          });
        }
        const { queued } = await jobs.countByState();
        return { json: { workers: await members(), queued } };
      },
    },
  ];
}
