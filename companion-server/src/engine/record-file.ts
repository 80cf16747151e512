// The source's records on disk, one of fixed size per step and frame, so that memory does not grow with the clip.

import { open, type FileHandle } from 'node:fs/promises';
import type { RecordShape } from '../nets/record-shape.ts';
import { float16ToFloat32, float32ToFloat16 } from '../tensor/half.ts';
import { sizeOf, tensor } from '../tensor/tensor.ts';
import type { RecordStore, SourceRecords } from '../tokenflow/fast-denoiser.ts';
import { diskError } from './latent-file.ts';

export interface RecordFileOptions {
  readonly path: string;
  readonly frameCount: number;
  readonly shape: RecordShape;
  /** Sampling steps that are recorded: from `startStep` to before `endStep`. */
  readonly startStep: number;
  readonly endStep: number;
  /** Features are recorded in steps before this one. */
  readonly featuresUntil: number;
}

/** Most tokens of one block: positions are kept in 16 bits. */
export const maxRecordedTokens = 2 ** 16;

/** Positions as they are, features in half precision. */
export class RecordFile implements RecordStore {
  private readonly file: FileHandle;
  private readonly options: RecordFileOptions;
  private isDirty = false;

  private constructor(file: FileHandle, options: RecordFileOptions) {
    this.file = file;
    this.options = options;
  }

  /** Makes the file, empty. Throws EditError('output-unwritable' or 'disk-full'). */
  static async create(options: RecordFileOptions): Promise<RecordFile> {
    const created = await RecordFile.openAs('w+', options);
    // Keyframes leave holes, at the end as well; the file is whole all the same.
    await created.file.truncate(RecordFile.sizeBytes(options));
    return created;
  }

  /** Opens a file that an edit before this one has made; what of it is whole is the caller's to know. */
  static reopen(options: RecordFileOptions): Promise<RecordFile> {
    return RecordFile.openAs('r+', options);
  }

  /** Opens a file that is complete, to read from it only. */
  static openWhole(options: RecordFileOptions): Promise<RecordFile> {
    return RecordFile.openAs('r', options);
  }

  private static async openAs(
    flags: 'w+' | 'r+' | 'r',
    options: RecordFileOptions,
  ): Promise<RecordFile> {
    try {
      return new RecordFile(await open(options.path, flags), options);
    } catch (error) {
      throw diskError(options.path, error);
    }
  }

  /** Bytes that such a file takes when it is full. */
  static sizeBytes(options: Omit<RecordFileOptions, 'path'>): number {
    return recordOffset(options, options.endStep);
  }

  async write(
    step: number,
    frames: readonly number[],
    { nearest, features }: SourceRecords,
  ): Promise<void> {
    const { path, shape } = this.options;
    const positions = positionCount(shape);
    const halves = features === null ? null : float32ToFloat16(features.data);
    const featureCount = halves === null ? 0 : halves.length / frames.length;
    this.isDirty = true;
    try {
      for (const [row, frame] of frames.entries()) {
        const record = new Uint16Array(positions + featureCount);
        record.set(nearest.subarray(row * positions, (row + 1) * positions));
        if (halves !== null) {
          record.set(halves.subarray(row * featureCount, (row + 1) * featureCount), positions);
        }
        await this.writeAt(this.offset(step, frame), new Uint8Array(record.buffer));
      }
    } catch (error) {
      throw diskError(path, error);
    }
  }

  async read(step: number, frames: readonly number[]): Promise<SourceRecords> {
    const { shape, featuresUntil, path } = this.options;
    const positions = positionCount(shape);
    const featureCount = step < featuresUntil ? sizeOf(shape.features) : 0;
    const nearest = new Uint16Array(frames.length * positions);
    const features = featureCount === 0 ? null : tensor([frames.length, ...shape.features]);
    const record = new Uint16Array(positions + featureCount);
    const bytes = new Uint8Array(record.buffer);
    for (const [row, frame] of frames.entries()) {
      const { bytesRead } = await this.file.read(bytes, 0, bytes.length, this.offset(step, frame));
      if (bytesRead !== bytes.length) throw new RangeError(`${path}: was cut short.`);
      nearest.set(record.subarray(0, positions), row * positions);
      if (features !== null) {
        const target = features.data.subarray(row * featureCount, (row + 1) * featureCount);
        float16ToFloat32(record.subarray(positions), target);
      }
    }
    return { nearest, features };
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

  private offset(step: number, frame: number): number {
    const { startStep, endStep, frameCount } = this.options;
    if (!(step >= startStep && step < endStep && frame >= 0 && frame < frameCount)) {
      throw new RangeError(`Frame ${frame} of step ${step} is outside the record file.`);
    }
    return recordOffset(this.options, step) + frame * recordBytes(this.options, step);
  }

  private async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    // A disk that is nearly full takes a part of it and reports the rest only when asked again.
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.file.write(bytes, done, bytes.length - done, position + done); // prettier-ignore
      done += bytesWritten;
    }
  }
}

/** Where the records of a step begin. */
function recordOffset(options: Omit<RecordFileOptions, 'path'>, step: number): number {
  const { startStep, featuresUntil, frameCount } = options;
  const withFeatures = Math.max(0, Math.min(step, featuresUntil) - startStep);
  const without = step - startStep - withFeatures;
  const plain = 2 * positionCount(options.shape);
  return frameCount * (withFeatures * (plain + 2 * sizeOf(options.shape.features)) + without * plain); // prettier-ignore
}

function recordBytes(
  { shape, featuresUntil }: Omit<RecordFileOptions, 'path'>,
  step: number,
): number {
  return 2 * (positionCount(shape) + (step < featuresUntil ? sizeOf(shape.features) : 0));
}

/** For the left and the right keyframe. */
function positionCount({ tokens }: RecordShape): number {
  return 2 * tokens.reduce((sum, count) => sum + count, 0);
}
