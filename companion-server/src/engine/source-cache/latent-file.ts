// Latents on disk in records of one frame, so that memory does not grow with the clip.

import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import { writeAt } from '../../files/write-at.ts';
import { sizeOf, tensor, type Tensor } from '../../tensor/tensor.ts';
import type { LatentStore, SourceTrajectory } from '../../tokenflow/latents.ts';
import { diskError } from './cache-advice.ts';

export interface LatentFileOptions {
  readonly path: string;
  readonly frameCount: number;
  /** [C, h, w] */
  readonly frameDims: readonly number[];
  /** Number of slots in the file, one after the other. */
  readonly slots: number;
}

/** A file of float32 records [slots][frames][C, h, w]. Close it when done; the caller removes the file. */
export class LatentFile {
  private readonly file: FileHandle;
  private readonly options: LatentFileOptions;
  /** Per record, slot after slot: a hole in the file would read as zeros. */
  private readonly isWritten: Uint8Array;
  /** Whether something was written since the last `sync`. */
  private isDirty = false;

  private constructor(file: FileHandle, options: LatentFileOptions) {
    this.file = file;
    this.options = options;
    this.isWritten = new Uint8Array(options.slots * options.frameCount);
  }

  /** Makes the file, empty. Throws EditError('output-unwritable' or 'disk-full'). */
  static async create(options: LatentFileOptions): Promise<LatentFile> {
    try {
      const isShared = await stat(options.path).then(
        ({ nlink }) => nlink > 1,
        () => false,
      );
      // A file with another name elsewhere (inversion-cache.ts) must not be emptied.
      if (isShared) await rm(options.path);
      return new LatentFile(await open(options.path, 'w+'), options);
    } catch (error) {
      throw diskError(options.path, error);
    }
  }

  /** Opens the file of an earlier edit; the caller must know which parts of it are complete. */
  static reopen(options: LatentFileOptions): Promise<LatentFile> {
    return LatentFile.openAs('r+', options);
  }

  /** Opens a file that is complete, to read from it only. */
  static openWhole(options: LatentFileOptions): Promise<LatentFile> {
    return LatentFile.openAs('r', options);
  }

  private static async openAs(flags: 'r' | 'r+', options: LatentFileOptions): Promise<LatentFile> {
    try {
      const file = new LatentFile(await open(options.path, flags), options);
      file.isWritten.fill(1);
      return file;
    } catch (error) {
      throw diskError(options.path, error);
    }
  }

  /** [C, h, w] */
  get frameDims(): readonly number[] {
    return this.options.frameDims;
  }

  /** Bytes that such a file takes when it is full. */
  static sizeBytes({ frameCount, frameDims, slots }: Omit<LatentFileOptions, 'path'>): number {
    return 4 * sizeOf(frameDims) * frameCount * slots;
  }

  /** The latents of all frames in one slot. */
  slot(index: number): LatentStore {
    const { frameCount } = this.options;
    return {
      frameCount,
      read: (indices) => this.read(index, indices),
      write: (start, latents) => this.write(index, start, latents),
    };
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

  /** The record's index in the file. */
  private record(slot: number, frame: number): number {
    const { frameCount, slots } = this.options;
    if (!(frame >= 0 && frame < frameCount && slot >= 0 && slot < slots)) {
      throw new RangeError(`Frame ${frame} of slot ${slot} is outside the latent file.`);
    }
    return slot * frameCount + frame;
  }

  private async read(slot: number, indices: readonly number[]): Promise<Tensor> {
    const { frameDims, path } = this.options;
    const latents = tensor([indices.length, ...frameDims]);
    const bytes = new Uint8Array(latents.data.buffer);
    const recordBytes = 4 * sizeOf(frameDims);
    for (const [row, frame] of indices.entries()) {
      const record = this.record(slot, frame);
      if (this.isWritten[record] === 0) {
        throw new RangeError(`${path}: frame ${frame} of slot ${slot} was never written.`);
      }
      const { bytesRead } = await this.file.read(bytes, row * recordBytes, recordBytes, record * recordBytes);
      if (bytesRead !== recordBytes) throw new RangeError(`${path}: was cut short.`);
    }
    return latents;
  }

  private async write(slot: number, start: number, { dims, data }: Tensor): Promise<void> {
    const [count = 0] = dims;
    const first = this.record(slot, start);
    if (count > 0) this.record(slot, start + count - 1);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const position = first * 4 * sizeOf(this.options.frameDims);
    this.isDirty = true;
    try {
      await writeAt(this.file, bytes, position);
    } catch (error) {
      throw diskError(this.options.path, error);
    }
    this.isWritten.fill(1, first, first + count);
  }
}

/** A trajectory in a file: one slot per timestep, from the slot `first` on. */
export function sourceTrajectory(file: LatentFile, timesteps: readonly number[], first: number): SourceTrajectory {
  return {
    at(timestep) {
      const index = timesteps.indexOf(timestep);
      if (index < 0) throw new RangeError(`Timestep ${timestep} is not in the latent file.`);
      return file.slot(first + index);
    },
  };
}
