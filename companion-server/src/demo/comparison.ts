// An original and its edits, frame by frame in memory, with what is measured of each. Demo clips are short and small.

import type { ClipInfo } from '../media/probe/clip-info.ts';
import { decodeFrames } from '../media/decode/frames.ts';
import type { Rgb24Frame } from '../media/frame.ts';
import { measureTemporal, type TemporalMetrics } from '../metrics/temporal.ts';
import { flickerMap } from './flicker-map.ts';
import { sampleMasks, sampleMotions, type Sample } from './samples.ts';
import { objectRow, timeSlice } from './time-slice.ts';

export interface Film {
  readonly label: string;
  readonly clip: ClipInfo;
  /** From the request to the file, inversion of the clip included; null for the original. */
  readonly seconds: number | null;
}

export interface ComparedFilm extends Film {
  readonly frames: readonly Rgb24Frame[];
  readonly metrics: TemporalMetrics;
  readonly slice: Rgb24Frame;
  readonly flicker: Rgb24Frame;
}

export interface Comparison {
  readonly sample: Sample;
  /** The row of pixels that the slices show, counted from the top. */
  readonly row: number;
  readonly films: readonly ComparedFilm[];
}

/** All of a clip at the sample's size. Throws as `decodeFrames` does. */
export async function readFilm(
  clip: ClipInfo,
  { width, height }: Sample,
  signal?: AbortSignal,
): Promise<readonly Rgb24Frame[]> {
  const frames: Rgb24Frame[] = [];
  for await (const frame of decodeFrames(clip, { size: { width, height }, signal })) frames.push(frame);
  return frames;
}

/** Measures every film along the exact motion of `sample`, of which it must be an edit. Throws as `decodeFrames` does. */
export async function compareFilms(sample: Sample, films: readonly Film[], signal?: AbortSignal): Promise<Comparison> {
  const motions = await sampleMotions(sample);
  const row = objectRow(await sampleMasks(sample), sample);
  const compared: ComparedFilm[] = [];
  for (const film of films) {
    const frames = await readFilm(film.clip, sample, signal);
    compared.push({
      ...film,
      frames,
      metrics: await measureTemporal(frames, motions),
      slice: timeSlice(frames, row),
      flicker: flickerMap(frames, motions),
    });
  }
  return { sample, row, films: compared };
}
