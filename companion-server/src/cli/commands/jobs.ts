// `jobs`: the jobs of the running server, of all its clients.

import { EditError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { readJobs, type ListedJob } from '../listed-jobs.ts';
import { askServer, findRunningServer } from '../server-requests.ts';
import { typed } from '../../typed-command.ts';

const actions = ['cancel', 'pause', 'resume', 'move', 'delete'] as const;

export const jobsCommand = defineCommand({
  name: 'jobs',
  usage: '[list | cancel ID | pause ID | resume ID | move ID | delete ID] [options]',
  summary: 'See and steer the jobs of the running server.',
  options: {
    before: {
      kind: 'text',
      placeholder: 'ID',
      help: 'With move: the job of the same client to go in front of. Default: to the end.',
    },
    json: { kind: 'flag', help: 'Print one JSON object.' },
  },
  notes: [
    'Shows the jobs of all clients, the panel and the command line alike. The first digits of an id are enough.',
    'A paused job keeps what it has computed and goes on from there. delete cancels a job that runs, and removes its result.',
  ],
  async run({ values, positionals }, { env, stdout }) {
    const [action = 'list', id, ...rest] = positionals;
    const server = await findRunningServer(env);
    const listed = await askServer(server, '/jobs', 'GET', readJobs);
    const print = (jobs: readonly ListedJob[]): void =>
      stdout.write(values.json ? `${JSON.stringify({ jobs })}\n` : formatJobs(jobs));
    if (action === 'list' && id === undefined) {
      print(listed);
      return;
    }
    const known = actions.find((name) => name === action);
    if (known === undefined || id === undefined || rest.length > 0) {
      throw new EditError(
        'invalid-request',
        'jobs takes list, or one of cancel, pause, resume, move, delete with the id of a job.',
      );
    }
    const jobId = findJob(id, listed);
    const before = values.before === undefined ? '' : `?before=${findJob(values.before, listed)}`;
    print(await askServer(server, `/jobs/${jobId}/${known}${before}`, 'POST', readJobs));
  },
});

function findJob(start: string, jobs: readonly ListedJob[]): string {
  const found = jobs.filter(({ job }) => job.jobId.startsWith(start.toLowerCase()));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first.job.jobId;
  const fault = found.length === 0 ? 'is of no job' : `is of ${found.length} jobs`;
  throw new EditError('job-missing', `The id '${start}' ${fault}.`, { hint: `See ${typed('jobs')}.` });
}

function formatJobs(jobs: readonly ListedJob[]): string {
  if (jobs.length === 0) return 'There are no jobs.\n';
  return jobs
    .map(({ owner, job, worker }) => {
      const { jobId, state, progress, position, createdAt, settings, error } = job;
      const place = position === null ? '' : `, ${position} before it`;
      const share = progress === null || state === 'done' ? '' : ` ${Math.floor(progress.progress * 100)} %`;
      const where = worker === undefined ? '' : ` on ${worker}`;
      const why = error === null ? '' : `: ${error.message}`;
      return `${jobId}  ${state}${share}${where}${place}${why}\n    ${createdAt}  ${owner}  "${toLine(settings.prompt)}"\n`;
    })
    .join('');
}

function toLine(prompt: string): string {
  return prompt.replaceAll(/\p{C}/gu, ' ').slice(0, 60);
}
