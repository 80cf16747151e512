// The jobs of all clients, as the running server lists them for the command line.

import { list, object, optional, parse, text, type Infer } from '../../../protocol/fields.ts';
import { jobView } from '../../../protocol/job.ts';

const listedJob = object({
  /** The name of the client whose job it is. */
  owner: text({ max: 200 }),
  job: jobView,
  /** The process that does it, where several machines do jobs. */
  worker: optional(text({ max: 300 })),
});
export type ListedJob = Infer<typeof listedJob>;

const answeredJobs = object({ jobs: list(listedJob, 1_000_000) });

/** Reads the answer to `/jobs`. */
export function readJobs(answer: unknown): readonly ListedJob[] {
  return parse(answeredJobs, answer, 'answer').jobs;
}
