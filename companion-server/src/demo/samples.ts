// The sample clips of the embedded model with their exact motion (models/demo/samples/README.md has the formats).

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { EditError } from '../errors.ts';
import type { SourceMotion } from '../metrics/temporal.ts';

/** The clips that come with the embedded model. */
const shipped = fileURLToPath(new URL('../../../models/demo/samples/', import.meta.url));

/** Flow is stored in parts of a pixel. */
const flowUnitsPerPixel = 64;

/** What a clip shows, in the words of the embedded model. */
export interface SampleContent {
  readonly object: string;
  /** A colour or a material. */
  readonly look: string;
  readonly place: string;
  /** Time of day and season; left out where the model knows none. */
  readonly time?: string;
  readonly season?: string;
  readonly style: string;
}

/** An edit to try, and what a right result shows. */
export interface SampleTarget extends SampleContent {
  readonly prompt: string;
}

export interface Sample extends SampleContent {
  readonly name: string;
  readonly clipPath: string;
  /** The source prompt. */
  readonly caption: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly fps: number;
  /** Grain, flicker of light, fast motion or occlusion: where editing frame by frame shows its weakness. */
  readonly hard: boolean;
  readonly targets: readonly SampleTarget[];
}

/** The names of all samples in `folder`, by default those of the embedded model. */
export async function sampleNames(folder: string = shipped): Promise<readonly string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => path.basename(file, '.json'))
    .sort();
}

/** Throws EditError('invalid-request') for a name that is none. */
export async function openSample(name: string, folder: string = shipped): Promise<Sample> {
  const names = await sampleNames(folder);
  if (!names.includes(name)) {
    throw new EditError('invalid-request', `There is no sample '${name}'.`, {
      hint: `There are ${names.join(', ')}.`,
    });
  }
  // Made by this project, beside its clip: trusted like code.
  const description = JSON.parse(await readFile(path.join(folder, `${name}.json`), 'utf8')) as Omit<
    Sample,
    'name' | 'clipPath'
  >;
  return { ...description, name, clipPath: path.join(folder, `${name}.mp4`) };
}

/** The sample that the demo edits: the first hard one. */
export async function openDemoSample(folder: string = shipped): Promise<Sample> {
  for (const name of await sampleNames(folder)) {
    const sample = await openSample(name, folder);
    if (sample.hard) return sample;
  }
  throw new EditError('invalid-request', 'None of the sample clips is hard.', { hint: 'Name one with --sample.' });
}

/** The object's masks, one per frame [height * width]: 1 on the object. */
export async function sampleMasks(sample: Sample): Promise<readonly Uint8Array[]> {
  const { width, height, frames } = sample;
  const bytes = await unpack(sample, 'mask');
  const plane = width * height;
  return Array.from({ length: frames }, (_, t) => bytes.subarray(t * plane, (t + 1) * plane));
}

/** The exact motion from each frame to the next, with the object's mask. */
export async function sampleMotions(sample: Sample): Promise<readonly (SourceMotion & { object: Uint8Array })[]> {
  const { width, height, frames } = sample;
  const plane = width * height;
  const flowBytes = await unpack(sample, 'flow');
  const units = new DataView(flowBytes.buffer, flowBytes.byteOffset, flowBytes.byteLength);
  const valid = await unpack(sample, 'valid');
  const masks = await sampleMasks(sample);
  return Array.from({ length: frames - 1 }, (_, t) => {
    const vectors = Float32Array.from(
      { length: 2 * plane },
      (__, i) => units.getInt16(2 * (2 * plane * t + i), true) / flowUnitsPerPixel,
    );
    const known = valid.subarray(t * plane, (t + 1) * plane);
    const flow = { width, height, vectors: { dims: [2, height, width], data: vectors }, known };
    return { flow, object: masks[t] ?? new Uint8Array(plane) };
  });
}

async function unpack({ clipPath, name }: Sample, part: 'flow' | 'mask' | 'valid'): Promise<Uint8Array> {
  return promisify(gunzip)(await readFile(path.join(path.dirname(clipPath), `${name}.${part}.bin.gz`)));
}
