// PyTorch in a process of its own, timing the same networks (scripts/gpu/torch_reference.py).

import path from 'node:path';
import { PythonProcess } from './python-process.ts';

const script = path.join(import.meta.dirname, '..', 'scripts', 'gpu', 'torch_reference.py');

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

export class Torch {
  /** For instance `PyTorch 2.13.0 on NVIDIA H100 (cuda)`. */
  readonly title: string;
  readonly device: string;
  private readonly python: PythonProcess;

  private constructor(python: PythonProcess) {
    const { device, torch, name } = python.ready;
    this.python = python;
    this.device = String(device);
    this.title = `PyTorch ${String(torch)} on ${String(name)} (${this.device})`;
  }

  /** Null where Python has no PyTorch 2. */
  static async start({ device, threads, channels, context }: TorchOptions): Promise<Torch | null> {
    const args = [
      ...(device === undefined ? [] : ['--device', device]),
      ...(threads === undefined ? [] : ['--threads', String(threads)]),
      ...(channels === undefined ? [] : ['--channels', channels.join(',')]),
      ...(context === undefined ? [] : ['--context', String(context)]),
    ];
    const python = await PythonProcess.start(script, args);
    return python && new Torch(python);
  }

  /** Seconds of one forward. Throws Error with PyTorch's own message. */
  time(request: TorchRequest): Promise<number> {
    return this.python.seconds(request);
  }

  stop(): void {
    this.python.stop();
  }
}
