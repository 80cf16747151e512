// Smooth random textures that are the same on every machine: value noise on a lattice of hashed integers.

/** A number in 0..1 for a lattice point; equal arguments give equal numbers. */
export function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** Noise of wavelength about 2, mean 0, -1..1, with continuous slope. */
export function valueNoise(x: number, y: number, seed: number): number {
  const [ix, iy] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [fade(x - ix), fade(y - iy)];
  const top = hash(ix, iy, seed) * (1 - fx) + hash(ix + 1, iy, seed) * fx;
  const bottom = hash(ix, iy + 1, seed) * (1 - fx) + hash(ix + 1, iy + 1, seed) * fx;
  return 2 * (top * (1 - fy) + bottom * fy) - 1;
}

/** `octaves` of noise, each twice as fine and half as strong; about -1..1. */
export function fractalNoise(x: number, y: number, seed: number, octaves: number): number {
  let sum = 0;
  for (let octave = 0; octave < octaves; octave++) {
    sum += valueNoise(x * 2 ** octave, y * 2 ** octave, seed + octave) / 2 ** octave;
  }
  return sum;
}

function fade(t: number): number {
  return t * t * (3 - 2 * t);
}
