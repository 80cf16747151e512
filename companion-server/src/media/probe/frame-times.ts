// From the times at which a file's frames are shown to a constant frame rate, and from that rate's frames back to
// the stored ones. Pure.

import { rationalValue, reduceRational, type Rational } from '../frame.ts';

/** Largest distance of a frame from its place on the even grid, in frames, that still counts as a constant rate. */
const maxJitterFrames = 0.25;

/** A rate this close to a standard one counts as the standard one. */
const standardTolerance = 0.02;

/** A rate that was written in whole microseconds per frame is off by up to half of one. */
const guessTolerance = 3e-5;

const standardRates: readonly Rational[] = [
  [24_000, 1001],
  [24, 1],
  [25, 1],
  [30_000, 1001],
  [30, 1],
  [48, 1],
  [50, 1],
  [60_000, 1001],
  [60, 1],
  [100, 1],
  [120_000, 1001],
  [120, 1],
  [12, 1],
  [15, 1],
  [10, 1],
].map(([numerator = 1, denominator = 1]) => ({ numerator, denominator }));

export interface RatePlan {
  readonly frameRate: Rational;
  readonly frameCount: number;
  readonly variableRate: boolean;
}

/**
 * Chooses the constant rate for frames shown at `times` (seconds, rising, not empty). `declared` are the rates that
 * the file claims, most trusted first; one that fits the times is kept exactly. Otherwise the rate varies: the
 * standard rate nearest to the usual distance of frames is taken, and the count keeps the clip's length.
 * `lastDuration` is how long the last frame is shown, or null.
 */
export function planRate(times: Float64Array, declared: readonly Rational[], lastDuration: number | null): RatePlan {
  const candidates = [...declared.flatMap((rate) => [exactly(rate), rate]), ...standardRates];
  const errors = candidates.map((rate) => gridError(times, rationalValue(rate)));
  const best = errors.reduce((winner, error, i) => {
    // An earlier candidate wins unless a later one is clearly nearer: timestamps are rounded.
    return error < (errors[winner] ?? Infinity) - 0.02 ? i : winner;
  }, 0);
  const fitting = candidates[best];
  if (fitting !== undefined && (errors[best] ?? Infinity) <= maxJitterFrames) {
    return { frameRate: exactly(fitting), frameCount: times.length, variableRate: false };
  }
  const usual = medianStep(times);
  const frameRate = nearestStandard(1 / usual) ?? reduceRational(Math.round(1000 / usual), 1000);
  const shown = (times.at(-1) ?? 0) - (times[0] ?? 0) + (lastDuration ?? usual);
  const frameCount = Math.max(1, Math.round(shown * rationalValue(frameRate)));
  return { frameRate, frameCount, variableRate: true };
}

/** What `planSourceFrames` reads of a clip. */
export interface TimedFrames {
  readonly frameTimes: Float64Array | null;
  readonly frameRate: Rational;
  readonly variableRate: boolean;
}

/**
 * The stored frame to show for each frame `start`..`end` of the constant rate. Where the file's own rate varies, that is the
 * last one whose time has come, within half a frame. Never falls.
 */
export function planSourceFrames(
  { frameTimes: times, frameRate, variableRate }: TimedFrames,
  start: number,
  end: number,
): number[] {
  if (!variableRate || times === null) {
    return Array.from({ length: end - start }, (_, i) => start + i);
  }
  const origin = times[0] ?? 0;
  const plan: number[] = [];
  let source = 0;
  for (let i = start; i < end; i++) {
    const due = origin + (i + 0.5) / rationalValue(frameRate);
    while (source + 1 < times.length && (times[source + 1] ?? Infinity) < due) source++;
    plan.push(source);
  }
  return plan;
}

/** The largest distance of any frame from the even grid that starts with the first, in frames. */
function gridError(times: Float64Array, rate: number): number {
  const origin = times[0] ?? 0;
  let worst = 0;
  times.forEach((time, i) => {
    worst = Math.max(worst, Math.abs((time - origin) * rate - i));
  });
  return worst;
}

/** Some rates are guessed from rounded times: 19001/317 is 60000/1001, 1000000/33333 is 30. */
function exactly(declared: Rational): Rational {
  const value = rationalValue(declared);
  return standardRates.find((rate) => Math.abs(rationalValue(rate) / value - 1) < guessTolerance) ?? declared;
}

function medianStep(times: Float64Array): number {
  const steps = times.subarray(1).map((time, i) => time - (times[i] ?? 0));
  return steps.sort()[steps.length >> 1] ?? 1 / 25;
}

function nearestStandard(rate: number): Rational | undefined {
  const distance = (standard: Rational) => Math.abs(rationalValue(standard) / rate - 1);
  const [nearest] = [...standardRates].sort((a, b) => distance(a) - distance(b));
  return nearest !== undefined && distance(nearest) <= standardTolerance ? nearest : undefined;
}
