// Latents on disk in records of one frame, so that memory does not grow with the clip.

import { open, type FileHandle } from 'node:fs/promises';
import { EditError } from '../errors.ts';
import { sizeOf, tensor, type Tensor } from '../tensor/tensor.ts';
import type { LatentStore, SourceTrajectory } from '../tokenflow/latents.ts';

export interface LatentFileOptions {
  readonly path: string;
  readonly frameCount: number;
  /** [C, h, w] */
  readonly frameDims: readonly number[];
  /** Moments in time that the file holds, one after the other. */
  readonly moments: number;
}

/** A file of float32 records [moments][frames][C, h, w]. Close it when done; the caller removes the file. */
export class LatentFile {
  private readonly file: FileHandle;
  private readonly options: LatentFileOptions;

  private constructor(file: FileHandle, options: LatentFileOptions) {
    this.file = file;
    this.options = options;
  }

  /** Makes the file, empty. Throws EditError('output-unwritable' or 'disk-full'). */
  static async create(options: LatentFileOptions): Promise<LatentFile> {
    try {
      return new LatentFile(await open(options.path, 'w+'), options);
    } catch (error) {
      throw diskError(options.path, error);
    }
  }

  /** Bytes that such a file takes when it is full. */
  static sizeBytes({ frameCount, frameDims, moments }: Omit<LatentFileOptions, 'path'>): number {
    return 4 * sizeOf(frameDims) * frameCount * moments;
  }

  /** The latents of all frames at one moment. */
  moment(index: number): LatentStore {
    const { frameCount } = this.options;
    return {
      frameCount,
      read: (indices) => this.read(index, indices),
      write: (start, latents) => this.write(index, start, latents),
    };
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private position(moment: number, frame: number): number {
    const { frameCount, frameDims, moments } = this.options;
    if (!(frame >= 0 && frame < frameCount && moment >= 0 && moment < moments)) {
      throw new RangeError(`Frame ${frame} of moment ${moment} is outside the latent file.`);
    }
    return 4 * sizeOf(frameDims) * (moment * frameCount + frame);
  }

  private async read(moment: number, indices: readonly number[]): Promise<Tensor> {
    const { frameDims, path } = this.options;
    const latents = tensor([indices.length, ...frameDims]);
    const bytes = new Uint8Array(latents.data.buffer);
    const recordBytes = 4 * sizeOf(frameDims);
    for (const [row, frame] of indices.entries()) {
      const at = row * recordBytes;
      const { bytesRead } = await this.file.read(bytes, at, recordBytes, this.position(moment, frame)); // prettier-ignore
      if (bytesRead !== recordBytes) {
        throw new RangeError(`${path}: frame ${frame} of moment ${moment} was never written.`);
      }
    }
    return latents;
  }

  private async write(moment: number, start: number, { data }: Tensor): Promise<void> {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    try {
      await this.file.write(bytes, 0, bytes.length, this.position(moment, start));
    } catch (error) {
      throw diskError(this.options.path, error);
    }
  }
}

/** A trajectory file: one moment per timestep. */
export function sourceTrajectory(file: LatentFile, timesteps: readonly number[]): SourceTrajectory {
  return { at: (timestep) => file.moment(timesteps.indexOf(timestep)) };
}

function diskError(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EditError('disk-full', `${path} can't grow: the disk is full.`, {
      hint: 'Free some space or set TOKENFLOW_CACHE to a folder on another disk.',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOENT') {
    return new EditError('output-unwritable', `${path} can't be written (${code}).`, {
      hint: 'Set TOKENFLOW_CACHE to a folder that you may write to.',
      cause: error,
    });
  }
  return error;
}
