// What is shown of a preview: its frames as a strip.

import type { Picture } from './compare.ts';

/** The pictures of a preview. */
export interface PreviewStrip {
  /** Of its task. */
  readonly key: string;
  /** By `pictureKey` of a side and the frame of the preview. */
  readonly pictures: Readonly<Record<string, Picture>>;
}

/** One frame of a preview. */
export interface PreviewFrame {
  /** From 0, within the preview. */
  readonly index: number;
  /** The frame of the clip that it shows. */
  readonly clipFrame: number;
  /** Of that frame, from the beginning of the clip on the timeline or of the file. */
  readonly seconds: number;
}
