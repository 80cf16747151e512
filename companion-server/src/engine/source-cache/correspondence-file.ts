// The correspondences of the source's tokens to its keyframes, on disk in slots of one step and frame, so that memory
// does not grow with the clip.

import { open, type FileHandle } from 'node:fs/promises';
import { writeAt } from '../../files/write-at.ts';
import type { CorrespondenceStore, Correspondences } from '../../tokenflow/correspondences.ts';
import { diskError } from './cache-advice.ts';

export interface CorrespondenceLayout {
  readonly frameCount: number;
  /** Of a frame, in all transformer blocks. */
  readonly tokens: number;
  /** Sampling steps that are cached: from `startStep` to before `endStep`. */
  readonly startStep: number;
  readonly endStep: number;
}

export interface CorrespondenceFileOptions extends CorrespondenceLayout {
  readonly path: string;
  /** Where in the file the correspondences begin. */
  readonly firstByte: number;
}

/** Most tokens of one block: positions are kept in 16 bits. */
export const maxTokens = 2 ** 16;

/** Correspondences [steps][frames][left, right][tokens] of 16 bits in a part of a file. Close it when done. */
export class CorrespondenceFile implements CorrespondenceStore {
  private readonly file: FileHandle;
  private readonly options: CorrespondenceFileOptions;
  private isDirty = false;

  private constructor(file: FileHandle, options: CorrespondenceFileOptions) {
    this.file = file;
    this.options = options;
  }

  /** The file is there already. Throws EditError('output-unwritable'). */
  static async open(flags: 'r+' | 'r', options: CorrespondenceFileOptions): Promise<CorrespondenceFile> {
    try {
      return new CorrespondenceFile(await open(options.path, flags), options);
    } catch (error) {
      throw diskError(options.path, error);
    }
  }

  /** Bytes that they take. */
  static sizeBytes({ frameCount, tokens, startStep, endStep }: CorrespondenceLayout): number {
    return frameCount * (endStep - startStep) * frameBytes(tokens);
  }

  async write(step: number, frames: readonly number[], { nearest }: Correspondences): Promise<void> {
    const size = frameBytes(this.options.tokens);
    const bytes = new Uint8Array(nearest.buffer, nearest.byteOffset, nearest.byteLength);
    this.isDirty = true;
    try {
      for (const [row, frame] of frames.entries()) {
        await writeAt(this.file, bytes.subarray(row * size, (row + 1) * size), this.position(step, frame));
      }
    } catch (error) {
      throw diskError(this.options.path, error);
    }
  }

  async read(step: number, frames: readonly number[]): Promise<Correspondences> {
    const { tokens, path } = this.options;
    const size = frameBytes(tokens);
    const nearest = new Uint16Array(frames.length * 2 * tokens);
    const bytes = new Uint8Array(nearest.buffer);
    for (const [row, frame] of frames.entries()) {
      const { bytesRead } = await this.file.read(bytes, row * size, size, this.position(step, frame));
      if (bytesRead !== size) throw new RangeError(`${path}: was cut short.`);
    }
    return { nearest };
  }

  /** Returns when all that was written is on the disk. Throws EditError('disk-full'). */
  async sync(): Promise<void> {
    try {
      if (this.isDirty) await this.file.datasync();
      this.isDirty = false;
    } catch (error) {
      throw diskError(this.options.path, error);
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private position(step: number, frame: number): number {
    const { startStep, endStep, frameCount, firstByte, tokens } = this.options;
    if (!(step >= startStep && step < endStep && frame >= 0 && frame < frameCount)) {
      throw new RangeError(`Frame ${frame} of step ${step} is outside the cached correspondences.`);
    }
    return firstByte + ((step - startStep) * frameCount + frame) * frameBytes(tokens);
  }
}

/** 16 bits per token, for the left and the right keyframe. */
function frameBytes(tokens: number): number {
  return 4 * tokens;
}
