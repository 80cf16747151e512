// The control pictures of an edit, on disk, so that memory does not grow with the clip. They are made again when an edit
// goes on: that takes a moment, and equal clips give equal pictures.

import { open, type FileHandle } from 'node:fs/promises';
import type { ControlKind, MadeControlKind } from '../../../../protocol/control.ts';
import { controlPicture } from '../../control-pictures/control-picture.ts';
import { smoothed } from '../../control-pictures/smooth.ts';
import { writeAt } from '../../files/write-at.ts';
import type { Rgb24Frame, Size } from '../../media/frame.ts';
import { estimateFlow } from '../../metrics/block-matching.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import { diskError } from '../source-cache/cache-advice.ts';

/** Of these a few pixels flash up and go from frame to frame; tones are steady as they are. */
const lineKinds: readonly ControlKind[] = ['canny', 'lineart', 'scribble'];

/** The frame that pictures belong to, and one picture for each kind that was asked for. */
export interface ShownFrame {
  readonly frame: Rgb24Frame;
  readonly pictures: readonly Rgb24Frame[];
}

/** The control pictures of successive frames, those of lines steadied along the clip's motion. */
export async function* controlPictures(
  frames: AsyncIterable<Rgb24Frame>,
  kinds: readonly MadeControlKind[],
): AsyncGenerator<ShownFrame, void, undefined> {
  const show = (frame: Rgb24Frame): ShownFrame => ({
    frame,
    pictures: kinds.map((kind) => controlPicture(kind, frame)),
  });
  if (!kinds.some((kind) => lineKinds.includes(kind))) {
    for await (const frame of frames) yield show(frame);
    return;
  }
  let before: ShownFrame | null = null;
  let current: ShownFrame | null = null;
  for await (const frame of frames) {
    const after = show(frame);
    if (current !== null) yield before === null ? current : steadied(before, current, after, kinds);
    [before, current] = [current, after];
  }
  if (current !== null) yield current;
}

function steadied(
  before: ShownFrame,
  current: ShownFrame,
  after: ShownFrame,
  kinds: readonly MadeControlKind[],
): ShownFrame {
  const [back, forth] = [estimateFlow(current.frame, before.frame), estimateFlow(current.frame, after.frame)];
  const pictures = current.pictures.map((picture, i) => {
    const [one, other] = [before.pictures[i], after.pictures[i]];
    const isOfLines = lineKinds.includes(kinds[i] as MadeControlKind);
    if (!isOfLines || one === undefined || other === undefined) return picture;
    return smoothed(picture, { picture: one, motion: back }, { picture: other, motion: forth });
  });
  return { frame: current.frame, pictures };
}

/** A file of records [frames][height][width][3] of bytes. Close it when done; the caller removes the file. */
export class ControlPictureFile {
  private readonly file: FileHandle;
  private readonly path: string;
  private readonly size: Size;

  private constructor(file: FileHandle, path: string, size: Size) {
    this.file = file;
    this.path = path;
    this.size = size;
  }

  /** Makes the file, empty. Throws EditError('output-unwritable' or 'disk-full'). */
  static async create(path: string, size: Size): Promise<ControlPictureFile> {
    try {
      return new ControlPictureFile(await open(path, 'w+'), path, size);
    } catch (error) {
      throw diskError(path, error);
    }
  }

  async write(frame: number, { rgb }: Rgb24Frame): Promise<void> {
    try {
      await writeAt(this.file, rgb, frame * this.recordBytes);
    } catch (error) {
      throw diskError(this.path, error);
    }
  }

  /** [N, 3, height, width], red, green, blue, 0..1. */
  async read(frames: readonly number[]): Promise<Tensor> {
    const { width, height } = this.size;
    const plane = width * height;
    const pictures = tensor([frames.length, 3, height, width]);
    const bytes = new Uint8Array(this.recordBytes);
    for (const [row, frame] of frames.entries()) {
      const { bytesRead } = await this.file.read(bytes, 0, bytes.length, frame * bytes.length);
      if (bytesRead !== bytes.length) throw new RangeError(`There is no control picture of frame ${frame}.`);
      for (let i = 0; i < bytes.length; i++) {
        pictures.data[(3 * row + (i % 3)) * plane + Math.floor(i / 3)] = (bytes[i] as number) / 255;
      }
    }
    return pictures;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private get recordBytes(): number {
    return 3 * this.size.width * this.size.height;
  }
}
