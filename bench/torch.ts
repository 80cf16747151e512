// PyTorch in a process of its own, timing the same networks (scripts/gpu/torch_reference.py).

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';

const script = path.join(import.meta.dirname, '..', 'scripts', 'gpu', 'torch_reference.py');

/** Names the Python that has PyTorch 2; `python3` when it is not set. */
const pythonVariable = 'TOKENFLOW_PYTHON';

export interface TorchRequest {
  readonly part: 'unet' | 'encode' | 'decode' | 'text' | 'matmul';
  readonly batch?: number;
  /** Of the latents for the UNet, of the picture for the VAE. */
  readonly height?: number;
  readonly width?: number;
  /** Side of the matrices of `matmul`. */
  readonly size?: number;
}

export interface TorchOptions {
  /** CUDA when left out and there. */
  readonly device?: 'cuda' | 'cpu';
  readonly threads?: number;
  readonly channels?: readonly number[];
  readonly context?: number;
}

type Answer = Readonly<Record<string, unknown>>;

export class Torch {
  /** For instance `PyTorch 2.13.0 on NVIDIA H100 (cuda)`. */
  readonly title: string;
  readonly device: string;
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly answers: AsyncIterator<string, undefined>;

  private constructor(child: Torch['child'], answers: Torch['answers'], ready: Answer) {
    this.child = child;
    this.answers = answers;
    this.device = String(ready['device']);
    this.title = `PyTorch ${String(ready['torch'])} on ${String(ready['name'])} (${this.device})`;
  }

  /** Null where Python has no PyTorch 2. */
  static async start({ device, threads, channels, context }: TorchOptions): Promise<Torch | null> {
    const args = [
      ...(device === undefined ? [] : ['--device', device]),
      ...(threads === undefined ? [] : ['--threads', String(threads)]),
      ...(channels === undefined ? [] : ['--channels', channels.join(',')]),
      ...(context === undefined ? [] : ['--context', String(context)]),
    ];
    const child = spawn(process.env[pythonVariable] ?? 'python3', [script, ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const failed = once(child, 'error').then(() => ({ done: true, value: undefined }) as const);
    const first = await Promise.race([answers.next(), failed]);
    if (first.done === true) return null;
    return new Torch(child, answers, JSON.parse(first.value) as Answer);
  }

  /** Seconds of one forward. Throws Error with PyTorch's own message. */
  async time(request: TorchRequest): Promise<number> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { done, value } = await this.answers.next();
    if (done === true) throw new Error('PyTorch ended.');
    const answer = JSON.parse(value) as Answer;
    if (typeof answer['seconds'] !== 'number') throw new Error(String(answer['error']));
    return answer['seconds'];
  }

  stop(): void {
    this.child.kill();
  }
}
