// Expected numbers: numpy 2.4 in float64, by the formula of diffusers 0.21's get_timestep_embedding.
import { expect, it } from 'vitest';
import { timestepEmbedding } from './timestep-embedding.ts';

it('cosines first, as Stable Diffusion has them', () => {
  const features = timestepEmbedding(981, { dim: 8, flipSinToCos: true, freqShift: 0 });
  const expected = [
    0.6799571882, -0.7579525453, -0.926715021, 0.5561917711, 0.7332518137, -0.6523096957, -0.3757649131, 0.8310539777,
  ];
  expect(features).toBeAllClose(expected, { atol: 1e-7 });
});

it('sines first, a shifted exponent and an odd number of features', () => {
  const features = timestepEmbedding(3, { dim: 7, flipSinToCos: false, freqShift: 1 });
  const expected = [0.1411200081, 0.0299955002, 0.0003, -0.9899924966, 0.9995500337, 0.999999955, 0];
  expect(features).toBeAllClose(expected, { atol: 1e-7 });
});

it('timestep 0 has no sine and full cosine', () => {
  const features = timestepEmbedding(0, { dim: 4, flipSinToCos: true, freqShift: 0 });
  expect([...features]).toEqual([1, 1, 0, 0]);
});
