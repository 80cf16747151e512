// A Python program that answers one line of JSON with another, as those of this folder and of scripts/gpu do.

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Names the Python that has what the programs need; `python3` when it is not set. */
const pythonVariable = 'TOKENFLOW_PYTHON';

export type Answer = Readonly<Record<string, unknown>>;

export class PythonProcess {
  /** The first line that it said. */
  readonly ready: Answer;
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly answers: AsyncIterator<string, undefined>;

  private constructor(child: PythonProcess['child'], answers: PythonProcess['answers'], ready: Answer) {
    this.child = child;
    this.answers = answers;
    this.ready = ready;
  }

  /** Null where there is no Python, or where it ends before it has said a line: something that it imports is missing. */
  static async start(script: string, args: readonly string[]): Promise<PythonProcess | null> {
    const child = spawn(process.env[pythonVariable] ?? 'python3', [script, ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const failed = once(child, 'error').then(() => ({ done: true, value: undefined }) as const);
    const first = await Promise.race([answers.next(), failed]);
    if (first.done === true) return null;
    return new PythonProcess(child, answers, JSON.parse(first.value) as Answer);
  }

  /** Throws Error with the program's own message, or when it has ended. */
  async ask(request: object): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { done, value } = await this.answers.next();
    if (done === true) throw new Error('Python ended.');
    const answer = JSON.parse(value) as Answer;
    if ('error' in answer) throw new Error(String(answer['error']));
    return answer;
  }

  /** The seconds that the answer to `request` holds. */
  async seconds(request: object): Promise<number> {
    const { seconds } = await this.ask(request);
    if (typeof seconds !== 'number') throw new Error('Python answered without seconds.');
    return seconds;
  }

  stop(): void {
    this.child.kill();
  }
}
