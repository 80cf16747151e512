// What the frames of an edit are worth: steadiness along the exact flow, what they show, and how much of the source's
// structure is left.

import { sampleMasks, sampleMotions, type SampleTarget } from '../../companion-server/src/demo/samples.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { edgeSsim } from '../../companion-server/src/metrics/edges.ts';
import { measureTemporal } from '../../companion-server/src/metrics/temporal.ts';
import { isPlaced, maskOverlap, type Judge, type Verdict } from '../demo-world/judge.ts';
import { readFrames } from '../demo-world/pictures.ts';
import { mean } from '../rows.ts';
import type { Trial } from './trials.ts';

export interface Look {
  /** Warp error wherever the flow is known, and on the object alone. 0..1, lower is steadier. */
  readonly warpError: number;
  readonly objectWarpError: number;
  /** The share of what was asked for that a frame shows, mean over the frames, 0..1. */
  readonly adherence: number;
  /** SSIM of the edges with the source's, mean over the frames, -1..1. */
  readonly structure: number;
  /** The object's mask as the judge draws it, over its true one in the source: intersection over union, mean, 0..1. */
  readonly overlap: number;
}

/** `file` is an edit of the first frames of the trial's clip, at its size. */
export async function lookAt(judge: Judge, { sample, target }: Trial, file: string): Promise<Look> {
  const frames = await readFrames(file);
  const originals = await readFrames(sample.clipPath);
  const verdicts = await judge.look(frames);
  const motions = await sampleMotions(sample);
  const masks = await sampleMasks(sample);
  const temporal = await measureTemporal(decodeFrames(await probeClip(file)), motions);
  return {
    warpError: temporal.warpError,
    objectWarpError: temporal.objectWarpError,
    adherence: mean(verdicts.map((verdict) => adherenceOf(verdict, target))),
    structure: mean(frames.map((frame, i) => edgeSsim(originals[i] ?? frame, frame))),
    overlap: mean(verdicts.map(({ mask }, i) => maskOverlap(mask, masks[i] ?? new Uint8Array()))),
  };
}

/** Half for the object's colour, half for the background in the right style. */
function adherenceOf(verdict: Verdict, target: SampleTarget): number {
  const isColoured = verdict.judgedLook === target.look;
  return (Number(isColoured) + Number(isPlaced(verdict, target))) / 2;
}

export function meanLook(looks: readonly Look[]): Look {
  const over = (key: keyof Look): number => mean(looks.map((look) => look[key]));
  return {
    warpError: over('warpError'),
    objectWarpError: over('objectWarpError'),
    adherence: over('adherence'),
    structure: over('structure'),
    overlap: over('overlap'),
  };
}

export function describeLook({ warpError, adherence, structure, overlap }: Look): string {
  return `warp ${warpError.toFixed(4)}, adherence ${(100 * adherence).toFixed(1)} %, structure ${structure.toFixed(3)}, overlap ${overlap.toFixed(2)}`;
}
