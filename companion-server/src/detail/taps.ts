// Where the samples of one grid lie on another.

/** Samples of a line: number `i` is centred at `phase` + `i` x `step` pixels of a picture's edge. */
export interface SampleLine {
  readonly count: number;
  readonly step: number;
  readonly phase: number;
}

/**
 * The four points around each place, and how much each counts: cubic for offsets, the middle two linear for gains. Weights
 * have double precision, in which JavaScript computes: others are converted for every sample.
 */
export interface Taps {
  /** [count * 4], beyond the ends the end. */
  readonly places: Int32Array;
  /** [count * 4], Catmull-Rom. */
  readonly cubic: Float64Array;
  /** [count], of the second of the middle two. */
  readonly linear: Float64Array;
}

/** Places of the samples of `line`, a line of a picture of `length` pixels, among `from` points over the same length. */
export function tapsOf(from: number, { count, step, phase }: SampleLine, length: number): Taps {
  const places = new Int32Array(4 * count);
  const cubic = new Float64Array(4 * count);
  const linear = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = ((phase + i * step) * from) / length - 0.5;
    const first = Math.floor(at);
    const t = at - first;
    linear[i] = t;
    const weights = [((2 - t) * t - 1) * t, (3 * t - 5) * t * t + 2, ((4 - 3 * t) * t + 1) * t, (t - 1) * t * t];
    weights.forEach((weight, k) => {
      places[4 * i + k] = Math.min(from - 1, Math.max(0, first - 1 + k));
      cubic[4 * i + k] = weight / 2;
    });
  }
  return { places, cubic, linear };
}

/** The two samples around each place, and the share of the second. */
export interface Places {
  readonly before: Int32Array;
  readonly after: Int32Array;
  readonly share: Float64Array;
}

/** Places of the samples of `wanted` among those of `given`; beyond its ends, its end. */
export function placesOf(wanted: SampleLine, given: SampleLine): Places {
  const before = new Int32Array(wanted.count);
  const after = new Int32Array(wanted.count);
  const share = new Float64Array(wanted.count);
  const last = given.count - 1;
  for (let i = 0; i < wanted.count; i++) {
    const at = (wanted.phase + i * wanted.step - given.phase) / given.step;
    const first = Math.floor(at);
    before[i] = Math.min(last, Math.max(0, first));
    after[i] = Math.min(last, Math.max(0, first + 1));
    share[i] = at - first;
  }
  return { before, after, share };
}
