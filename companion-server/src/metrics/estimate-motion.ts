// The motion of a clip whose true flow is unknown.

import type { Rgb24Frame } from '../media/frame.ts';
import { estimateFlow } from './block-matching.ts';
import { successive, type SourceMotion } from './temporal.ts';

/** The block-matched motion of each pair of `frames`, as `measureTemporal` takes it. */
export async function* estimateMotion(
  frames: AsyncIterable<Rgb24Frame>,
): AsyncGenerator<SourceMotion, void, undefined> {
  for await (const [frame, next] of successive(frames)) yield { flow: estimateFlow(frame, next) };
}
