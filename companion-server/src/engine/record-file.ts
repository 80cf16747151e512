// Where the source's tokens are found in its keyframes, on disk in records of one step and frame, so that memory does not
// grow with the clip.

import { open, type FileHandle } from 'node:fs/promises';
import type { RecordStore, SourceRecords } from '../tokenflow/fast-denoiser.ts';
import { diskError } from './latent-file.ts';
import { writeAt } from './write-at.ts';

export interface RecordLayout {
  readonly frameCount: number;
  /** Of a frame, in all transformer blocks. */
  readonly tokens: number;
  /** Sampling steps that are recorded: from `startStep` to before `endStep`. */
  readonly startStep: number;
  readonly endStep: number;
}

export interface RecordFileOptions extends RecordLayout {
  readonly path: string;
  /** Where in the file the records begin. */
  readonly firstByte: number;
}

/** Most tokens of one block: positions are kept in 16 bits. */
export const maxRecordedTokens = 2 ** 16;

/** Records [steps][frames][left, right][tokens] of 16 bits in a part of a file. Close it when done. */
export class RecordFile implements RecordStore {
  private readonly file: FileHandle;
  private readonly options: RecordFileOptions;
  private isDirty = false;

  private constructor(file: FileHandle, options: RecordFileOptions) {
    this.file = file;
    this.options = options;
  }

  /** The file is there already. Throws EditError('output-unwritable'). */
  static async open(flags: 'r+' | 'r', options: RecordFileOptions): Promise<RecordFile> {
    try {
      return new RecordFile(await open(options.path, flags), options);
    } catch (error) {
      throw diskError(options.path, error);
    }
  }

  /** Bytes that the records take. */
  static sizeBytes({ frameCount, tokens, startStep, endStep }: RecordLayout): number {
    return frameCount * (endStep - startStep) * recordBytes(tokens);
  }

  async write(step: number, frames: readonly number[], { nearest }: SourceRecords): Promise<void> {
    const size = recordBytes(this.options.tokens);
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

  async read(step: number, frames: readonly number[]): Promise<SourceRecords> {
    const { tokens, path } = this.options;
    const size = recordBytes(tokens);
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
      throw new RangeError(`Frame ${frame} of step ${step} is outside the records.`);
    }
    return firstByte + ((step - startStep) * frameCount + frame) * recordBytes(tokens);
  }
}

/** 16 bits per token, for the left and the right keyframe. */
function recordBytes(tokens: number): number {
  return 4 * tokens;
}
