// Random numbers that are the same on every machine: xoshiro128** 1.1 by Blackman and Vigna
// (https://prng.di.unimi.it/xoshiro128starstar.c), its state filled by hashing the seed and the stream numbers
// with MurmurHash3's 32-bit finaliser. Not for secrets. Imports nothing.

/** A sequence of random numbers. Each call advances it. */
export interface Random {
  /** A 32-bit unsigned integer. */
  next(): number;
  /** In [0, 1), in steps of 2^-32. */
  uniform(): number;
  /** An integer in 0..limit-1, every one equally likely. `limit` in 1..2^32. */
  below(limit: number): number;
  /** Normally distributed: mean 0, variance 1 (Box-Muller). */
  gaussian(): number;
}

/** Starting points of the four state words: the fractional bits of sqrt(2), sqrt(3), sqrt(5), sqrt(7). */
const laneSeeds = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a] as const;

/**
 * Opens the sequence named by `seed` and `stream`. Equal names give equal numbers; names that differ anywhere
 * give unrelated ones, so that a frame's noise may be drawn by (seed, frame index) in any order.
 * @param seed a whole number, 0..2^53-1
 * @param stream whole numbers, 0..2^53-1
 */
export function createRandom(seed: number, ...stream: readonly number[]): Random {
  const words = [seed, ...stream].flatMap(wordsOf);
  const fill = (lane: number): number => words.reduce((hash, word) => mix(hash ^ word), lane);
  // The count of words is part of the name: (1) and (1, 0) are different streams.
  let [a, b, c, d] = laneSeeds.map((lane) => mix(fill(lane) ^ words.length)) as [number, number, number, number];
  let spare: number | undefined;

  function next(): number {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  }

  function below(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) {
      throw new RangeError(`below: limit must be a whole number in 1..2^32, got ${limit}.`);
    }
    // Draws from the incomplete last run of `limit` values are thrown away: they would favour small numbers.
    const end = 2 ** 32 - (2 ** 32 % limit);
    let draw = next();
    while (draw >= end) draw = next();
    return draw % limit;
  }

  function gaussian(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log((next() + 1) / 2 ** 32)); // (0, 1]: the logarithm is finite
    const angle = (2 * Math.PI * next()) / 2 ** 32;
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  return { next, uniform: () => next() / 2 ** 32, below, gaussian };
}

function wordsOf(value: number): [number, number] {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`createRandom: seeds are whole numbers in 0..2^53-1, got ${value}.`);
  }
  return [(value % 2 ** 32) | 0, Math.floor(value / 2 ** 32)];
}

function mix(word: number): number {
  let hash = (word + 0x9e3779b9) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
