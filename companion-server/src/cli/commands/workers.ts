// `workers`: who does the jobs of the running server.

import { integer, list, nullable, object, parse, text, type Infer } from '../../../../protocol/fields.ts';
import { EditError } from '../../errors.ts';
import { typed } from '../../typed-command.ts';
import { defineCommand } from '../command.ts';
import { askServer, findRunningServer } from '../server-requests.ts';

const word = text({ max: 300 });
const worker = object({
  name: word,
  version: word,
  startedAt: word,
  seenAt: word,
  jobId: nullable(word),
});
type Worker = Infer<typeof worker>;
const answeredWorkers = object({ workers: list(worker, 10_000), queued: integer(0, 1e9) });

export const workersCommand = defineCommand({
  name: 'workers',
  usage: '[options]',
  summary: 'See who does the jobs of the running server, where several machines share them.',
  options: { json: { kind: 'flag', help: 'Print one JSON object.' } },
  notes: [
    `A worker that has said nothing for 30 seconds is left out: another one goes on with its job. ${typed('jobs')} shows the jobs.`,
  ],
  async run({ values, positionals }, { env, stdout }) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `workers takes no argument, got '${positionals[0]}'.`);
    }
    const read = (answer: unknown) => parse(answeredWorkers, answer, 'answer');
    const answer = await askServer(await findRunningServer(env), '/workers', 'GET', read);
    stdout.write(values.json ? `${JSON.stringify(answer)}\n` : format(answer.workers, answer.queued));
  },
});

function format(workers: readonly Worker[], queued: number): string {
  const lines = workers.map(
    ({ name, jobId, seenAt, version }) =>
      `${name}  ${jobId === null ? 'waits' : `does ${jobId}`}\n    seen ${seenAt}  version ${version}\n`,
  );
  return `${workers.length === 0 ? 'No worker lives.\n' : lines.join('')}Queued jobs: ${queued}\n`;
}
