// What a ControlNet is shown of a frame, made without a network.

import type { MadeControlKind } from '../../../protocol/control.ts';
import type { Rgb24Frame } from '../media/frame.ts';
import { canny } from './canny.ts';
import { lineart, scribble } from './lines.ts';
import { luma, tile } from './tones.ts';

const filters: Readonly<Record<MadeControlKind, (frame: Rgb24Frame) => Uint8Array>> = {
  canny,
  lineart,
  scribble,
  luma,
  tile,
};

/** A frame of the same size. */
export function controlPicture(kind: MadeControlKind, frame: Rgb24Frame): Rgb24Frame {
  const made = filters[kind](frame);
  const rgb = made.length === frame.rgb.length ? made : inAllChannels(made);
  return { ...frame, rgb };
}

function inAllChannels(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i] as number, 3 * i, 3 * i + 3);
  return rgb;
}
