import { describe, expect, it } from 'vitest';
import { FakeDenoiser } from '../../../test/fake-denoiser.ts';
import { tensor, takeRows } from '../tensor/tensor.ts';
import { carryValues, type CarryOptions } from './carry-values.ts';

const side = 4;
const frameCount = 9;
/** What every place of the first frame shows: no two alike. */
const patterns = Array.from({ length: side * side }, (_, i) => [Math.cos(i), Math.sin(i), Math.cos(5 * i) / 2]);

/** The picture moves to the right by a place in each frame; what leaves it comes back on the left. */
const shifted = (frame: number, i: number) => Math.floor(i / side) * side + ((i + 4 * side - frame) % side);
const clip = tensor(
  [frameCount, 3, side, side],
  Float32Array.from({ length: frameCount * 3 * side * side }, (_, at) => {
    const [i, channel, frame] = [at % 16, Math.floor(at / 16) % 3, Math.floor(at / 48)];
    return patterns[shifted(frame, i)]?.[channel] ?? NaN;
  }),
);

async function carry(given: readonly number[], valuesOf: CarryOptions['valuesOf'], chunkSize = 4) {
  const denoiser = new FakeDenoiser();
  const found: { frame: number; values: Float32Array }[] = [];
  for await (const one of carryValues({
    denoiser,
    conditioning: { tokens: tensor([1, 1, 1]) },
    timestep: 301,
    latentsOf: (frames) => Promise.resolve(takeRows(clip, frames)),
    given,
    frames: Array.from({ length: frameCount }, (_, i) => i),
    chunkSize,
    valuesOf,
  })) {
    found.push(one);
  }
  return { found, denoiser };
}

/** On the first column of frame 0, and on what it shows in another frame. */
const columnAt = (frame: number) =>
  Float32Array.from({ length: 16 }, (_, i) => (shifted(frame, i) % side === 0 ? 1 : 0));

describe('values of single frames', () => {
  it.each([1, 4, 16])('go with what they lie on, %i frames at a time', async (chunkSize) => {
    const { found } = await carry([0], () => Promise.resolve(columnAt(0)), chunkSize);
    expect(found.map(({ frame }) => frame)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const { frame, values } of found) expect(values).toEqual(columnAt(frame));
  });

  it('go backwards as well', async () => {
    const { found } = await carry([5], () => Promise.resolve(columnAt(5)));
    for (const { frame, values } of found) expect(values).toEqual(columnAt(frame));
  });

  it('have as many channels as are given', async () => {
    const { found } = await carry([0], () =>
      Promise.resolve(Float32Array.from([...columnAt(0), ...columnAt(0).map((v) => 3 * v)])),
    );
    for (const { frame, values } of found) {
      expect([...values]).toEqual([...columnAt(frame), ...columnAt(frame).map((value) => 3 * value)]);
    }
  });

  it('of two frames are mixed by distance between them, and hold outside', async () => {
    const { found } = await carry([2, 6], (n) => Promise.resolve(new Float32Array(16).fill(n)));
    expect(found.map(({ values }) => values[7])).toEqual([0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1]);
  });

  it('cost one forward for each frame and each given one', async () => {
    const { denoiser } = await carry([0, 4], () => Promise.resolve(columnAt(0)));
    expect(denoiser.passes.reduce((sum, { frames }) => sum + frames, 0)).toBe(2 + frameCount);
  });
});
