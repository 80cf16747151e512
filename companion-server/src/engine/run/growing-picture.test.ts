import { describe, expect, test } from 'vitest';
import { tensor } from '../../tensor/tensor.ts';
import { createPictureBudget } from './growing-picture.ts';
import { fitLinearDecoder } from './preview-decoder.ts';

describe('the budget of pictures', () => {
  function createClock() {
    let ms = 0;
    return {
      now: () => ms,
      pass(more: number): void {
        ms += more;
      },
    };
  }

  test('has the first one at once, and the next one a second later at the earliest', async () => {
    const clock = createClock();
    const budget = createPictureBudget(clock.now);
    expect(budget.isDue).toBe(true);
    await budget.spend(() => Promise.resolve());
    clock.pass(999);
    expect(budget.isDue).toBe(false);
    clock.pass(1);
    expect(budget.isDue).toBe(true);
  });

  test('takes no more than two hundredths of the time', async () => {
    const clock = createClock();
    const budget = createPictureBudget(clock.now);
    const slow = (): Promise<void> => {
      clock.pass(500);
      return Promise.resolve();
    };
    await budget.spend(slow);
    clock.pass(24_000);
    expect(budget.isDue).toBe(false);
    clock.pass(1_000);
    expect(budget.isDue).toBe(true);
    let pictures = 0;
    while (clock.now() < 200_000) {
      if (budget.isDue) {
        await budget.spend(slow);
        pictures += 1;
      }
      clock.pass(1_000);
    }
    expect(pictures).toBeGreaterThan(4);
    expect(pictures).toBeLessThanOrEqual(8);
  });

  test('counts the time of a picture that failed', async () => {
    const clock = createClock();
    const budget = createPictureBudget(clock.now);
    const fails = () => {
      clock.pass(400);
      return Promise.reject(new Error('no picture'));
    };
    await expect(budget.spend(fails)).rejects.toThrow('no picture');
    clock.pass(10_000);
    expect(budget.isDue).toBe(false);
  });
});

describe('a linear decoder', () => {
  const [width, height, channels] = [6, 4, 3];
  const plane = width * height;
  /** Channels that are no sums of each other. */
  const latents = tensor(
    [1, channels, height, width],
    Float32Array.from({ length: channels * plane }, (_, at) => Math.sin(at * at * 0.7 + at) * 2),
  );
  /** What some autoencoder might have made them of: sums of the channels, two by two pixels for a position. */
  const coloursAt = (at: number): number[] => {
    const [a = 0, b = 0, c = 0] = [0, 1, 2].map((channel) => latents.data[channel * plane + at] ?? 0);
    return [120 + 30 * a - 10 * b, 90 + 20 * c, 140 + 15 * a + 15 * b - 20 * c];
  };
  const rgb = new Uint8Array(3 * 4 * plane);
  for (let y = 0; y < 2 * height; y++) {
    for (let x = 0; x < 2 * width; x++) {
      rgb.set(coloursAt(Math.floor(y / 2) * width + Math.floor(x / 2)).map(Math.round), 3 * (y * 2 * width + x));
    }
  }
  const frame = { width: 2 * width, height: 2 * height, pixelFormat: 'rgb24', rgb } as const;

  test('finds the sums that made the pixels, and decodes other latents by them', async () => {
    const decoder = fitLinearDecoder(latents, frame);
    const other = tensor([1, channels, 1, 1], Float32Array.of(0.5, -1, 0.25));
    const picture = await decoder.decode(other);
    expect(picture).toMatchObject({ width: 1, height: 1 });
    [145, 95, 127.5].forEach((value, colour) => expect(Math.abs((picture.rgb[colour] ?? 0) - value)).toBeLessThan(2));
  });

  test('stays within the range of pixels', async () => {
    const far = tensor([1, channels, 1, 1], Float32Array.of(100, -100, 100));
    const { rgb: pixels } = await fitLinearDecoder(latents, frame).decode(far);
    expect([...pixels]).toEqual([255, 255, 255].map((_, colour) => (colour === 2 ? 0 : 255)));
  });

  test('of a grey frame, whose latents say nothing, is that grey', async () => {
    const grey = { ...frame, rgb: new Uint8Array(rgb.length).fill(77) };
    const picture = await fitLinearDecoder(tensor([1, channels, height, width]), grey).decode(latents);
    expect(Math.abs((picture.rgb[0] ?? 0) - 77)).toBeLessThanOrEqual(1);
  });

  test('refuses a frame that does not fit the latents', () => {
    expect(() => fitLinearDecoder(latents, { ...frame, width: 7 })).toThrow(RangeError);
  });
});
