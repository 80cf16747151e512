import { describe, expect, it } from 'vitest';
import { generate, randomTensor } from '../../../../test/run-graph.ts';
import { tensor } from '../../tensor/tensor.ts';
import { chartLatents, colourChart, coloursOf, fitColours, shrunk } from './latent-colours.ts';

describe('the chart of colours', () => {
  it('has as many pixels as its latents need, and colours from all of the cube', () => {
    const { dims, data } = colourChart({ downscale: 2 });
    expect(dims).toEqual([1, 3, 2 * chartLatents.height, 2 * chartLatents.width]);
    const plane = data.length / 3;
    for (const colour of [0, 1, 2]) {
      const values = [...data.subarray(colour * plane, (colour + 1) * plane)];
      expect(Math.min(...values)).toBeLessThan(-0.9);
      expect(Math.max(...values)).toBeGreaterThan(0.9);
    }
  });

  it('has one colour inside of each latent', () => {
    const chart = colourChart({ downscale: 4 });
    const cells = shrunk(chart, 4);
    const [, , , width = 0] = chart.dims;
    const again = generate(chart.dims, (_, colour, y, x) => {
      const cell = (colour * (width / 4) + Math.floor(y / 4)) * (width / 4) + Math.floor(x / 4);
      return cells.data[cell] ?? NaN;
    });
    expect(again.data).toBeAllClose(chart.data, { atol: 1e-6 });
  });
});

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
    expect(found.flat()).toBeAllClose(colours.flat(), { atol: 1e-3 });
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
    expect(fitColours(latents, large).flat()).toBeAllClose([1, 0, 0, 0, 1, 0, 0, 0, 0.5], { atol: 1e-3 });
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

describe('shrinking', () => {
  it('drops what is no whole block', () => {
    const image = generate([1, 1, 3, 5], (_, __, y, x) => 10 * y + x);
    expect(shrunk(image, 2)).toEqual(tensor([1, 1, 1, 2], Float32Array.of(5.5, 7.5)));
    expect(shrunk(image, 1).data).toBe(image.data);
  });
});
