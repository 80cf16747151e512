// The sinusoidal features of a timestep, as diffusers' get_timestep_embedding makes them. Computed here and fed
// to the UNet: sine and cosine of arguments near 1000 are imprecise on some GPUs.

/** The longest wavelength, in timesteps over 2 pi. */
const maxPeriod = 10_000;

export interface TimestepEmbeddingOptions {
  /** Number of features: the UNet's block_out_channels[0]. */
  readonly dim: number;
  /** true: cosines first, as Stable Diffusion has them. */
  readonly flipSinToCos: boolean;
  /** Taken off the number of frequencies in the exponent: 0 in Stable Diffusion. */
  readonly freqShift: number;
}

/** The features of timestep `t`: [dim], each in -1..1; the last is 0 when dim is odd. */
export function timestepEmbedding(t: number, { dim, flipSinToCos, freqShift }: TimestepEmbeddingOptions): Float32Array {
  const half = Math.floor(dim / 2);
  const features = new Float32Array(dim);
  const sines = flipSinToCos ? half : 0;
  const cosines = half - sines;
  for (let i = 0; i < half; i++) {
    const frequency = Math.exp((-Math.log(maxPeriod) * i) / (half - freqShift));
    features[sines + i] = Math.sin(t * frequency);
    features[cosines + i] = Math.cos(t * frequency);
  }
  return features;
}
