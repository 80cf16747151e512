import { describe, expect, it } from 'vitest';
import { generate, randomTensor } from '../../../../test/run-graph.ts';
import { tensor } from '../../tensor/tensor.ts';
import { coloursOf, fitColours, shrunk } from './latent-colours.ts';

describe('the fitted map', () => {
  it('is the one that made the latents', () => {
    const latents = randomTensor([1, 4, 6, 7]);
    const colours = [
      [0.3, -0.2, 0.5, 0.1, 0.2],
      [0, 0.4, 0.1, -0.3, -0.1],
      [-0.6, 0.2, 0, 0.1, 0],
    ];
    const picture = coloursOf(latents, colours);
    expect(picture.dims).toEqual([1, 3, 6, 7]);
    const found = fitColours(latents, picture);
    expect(found.flat()).toBeAllClose(colours.flat(), { atol: 5e-3 });
  });

  it('takes the mean of the pixels of each latent', () => {
    const latents = randomTensor([1, 2, 4, 4]);
    const small = coloursOf(latents, [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 0.5],
    ]);
    const large = generate([1, 3, 8, 8], (_, colour, y, x) => {
      const mean = small.data[(colour * 4 + (y >> 1)) * 4 + (x >> 1)] ?? NaN;
      return mean + ((x + y) % 2 === 0 ? 0.3 : -0.3);
    });
    expect(fitColours(latents, large).flat()).toBeAllClose([1, 0, 0, 0, 1, 0, 0, 0, 0.5], { atol: 5e-3 });
  });

  it('does without a channel that is always the same', () => {
    const latents = generate([1, 2, 4, 4], (_, channel, y, x) => (channel === 0 ? y - x : 0));
    const picture = coloursOf(latents, [
      [0.1, 5, 0],
      [0.2, 5, 0],
      [0.3, 5, 0],
    ]);
    expect(coloursOf(latents, fitColours(latents, picture)).data).toBeAllClose(picture.data, { atol: 1e-3 });
  });
});

describe('a frame that says little', () => {
  it('of one grey is shown in that grey', () => {
    const grey = generate([1, 3, 8, 8], () => 0.25);
    const picture = coloursOf(randomTensor([1, 4, 4, 4]), fitColours(tensor([1, 4, 4, 4]), grey));
    expect(picture.data).toBeAllClose(new Float32Array(48).fill(0.25), { atol: 1e-2 });
  });

  it('is refused where its pixels are no multiple of the latents', () => {
    expect(() => fitColours(tensor([1, 4, 4, 4]), tensor([1, 3, 8, 7]))).toThrow(
      '7 x 8 pixels are no multiple of 4 x 4',
    );
  });
});

describe('shrinking', () => {
  it('drops what is no whole block', () => {
    const image = generate([1, 1, 3, 5], (_, __, y, x) => 10 * y + x);
    expect(shrunk(image, 2)).toEqual(tensor([1, 1, 1, 2], Float32Array.of(5.5, 7.5)));
    expect(shrunk(image, 1).data).toBe(image.data);
  });
});
