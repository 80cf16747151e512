// Time on a timeline, exactly: Premiere counts ticks, of which 254 016 000 000 make a second, so that a frame of every
// usual rate is a whole number of them. A tick count passes 2^53 within ten hours, so it is a decimal text where it is
// stored and a BigInt in calculations; never a number.

import type { Rational } from '../../../protocol/media-facts.ts';

/** A whole number of ticks as decimal text, so that it survives JSON. May be negative. */
export type Ticks = string;

export const ticksPerSecond = 254_016_000_000n;

/** Throws RangeError unless `ticks` is a whole number. */
export function parseTicks(ticks: string): bigint {
  if (!/^-?\d+$/.test(ticks)) throw new RangeError(`Ticks must be a whole number, got ${ticks}.`);
  return BigInt(ticks);
}

/** The rate of a sequence from its `ticksPerFrame`, reduced: 8475667200 ticks are 30000/1001 frames per second. */
export function rateOfTimebase(ticksPerFrame: Ticks): Rational {
  const frame = parseTicks(ticksPerFrame);
  if (frame <= 0n) throw new RangeError(`A frame must last at least a tick, got ${ticksPerFrame}.`);
  const shared = greatestCommonDivisor(ticksPerSecond, frame);
  return { numerator: Number(ticksPerSecond / shared), denominator: Number(frame / shared) };
}

/** Frames from `start` to `end`; null when the span is empty or no whole number of frames. */
export function wholeFrames(start: Ticks, end: Ticks, ticksPerFrame: Ticks): number | null {
  const span = parseTicks(end) - parseTicks(start);
  const frame = parseTicks(ticksPerFrame);
  return span > 0n && span % frame === 0n ? Number(span / frame) : null;
}

/** `frames` later than `start`. */
export function addFrames(start: Ticks, frames: number, ticksPerFrame: Ticks): Ticks {
  return String(parseTicks(start) + BigInt(frames) * parseTicks(ticksPerFrame));
}

/** Rounded to a double; for texts and for sending, not for calculations. */
export function toSeconds(ticks: Ticks): number {
  const count = parseTicks(ticks);
  const whole = count / ticksPerSecond;
  return Number(whole) + Number(count - whole * ticksPerSecond) / Number(ticksPerSecond);
}

/** Whether the half-open spans share an instant. */
export function spansOverlap(
  a: { readonly start: Ticks; readonly end: Ticks },
  b: { readonly start: Ticks; readonly end: Ticks },
): boolean {
  return parseTicks(a.start) < parseTicks(b.end) && parseTicks(b.start) < parseTicks(a.end);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
