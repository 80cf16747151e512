import { describe, expect, test } from 'vitest';
import { InMemoryLatents } from '../../tokenflow/in-memory-latents.ts';
import { randomTensor } from '../../../../test/run-graph.ts';
import { addNoise } from '../../diffusion/ddim.ts';
import { sharedNoise } from '../../diffusion/seeded-noise.ts';
import { createSchedule } from '../../diffusion/schedule.ts';
import { parseSchedulerConfig } from '../../diffusion/scheduler-config.ts';
import { sliceRows, tensor } from '../../tensor/tensor.ts';
import { writeNoised, writeTurned, type FreshStart } from './initial-latents.ts';

const dims = [5, 2, 2, 3];
const schedule = createSchedule(
  parseSchedulerConfig({
    _class_name: 'DDIMScheduler',
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    beta_end: 0.012,
  }),
  4,
);
const [timestep = 0] = schedule.timesteps;

async function noised(change: Partial<FreshStart>, clean = tensor(dims)) {
  const target = new InMemoryLatents(tensor(clean.dims));
  const options = { initialNoise: 'own', seed: 3, frames: [0, 1, 2, 3, 4], chunkSize: 2 } as const;
  await writeNoised(new InMemoryLatents(clean), target, {
    ...options,
    timestep,
    schedule,
    ...change,
  });
  return target.tensor;
}

const frame = (latents: { dims: readonly number[]; data: Float32Array }, index: number) =>
  Array.from(sliceRows(latents, index, index + 1).data);

describe('noise of its own', () => {
  test('is another for every frame', async () => {
    const result = await noised({});
    expect(frame(result, 0)).not.toEqual(frame(result, 1));
    expect(frame(result, 0)).not.toEqual(frame(result, 4));
  });

  test('belongs to the frame of the clip, whatever range is edited', async () => {
    const [whole, range] = [await noised({}), await noised({ frames: [2, 3, 4] }, tensor([3, 2, 2, 3]))];
    expect(frame(range, 0)).toEqual(frame(whole, 2));
    expect(frame(range, 2)).toEqual(frame(whole, 4));
  });
});

test('shared noise is the same for all frames', async () => {
  const result = await noised({ initialNoise: 'shared' });
  for (const index of [1, 2, 3, 4]) expect(frame(result, index)).toEqual(frame(result, 0));
});

test.each(['own', 'shared'] as const)('%s noise does not depend on the chunk size', async (noise) => {
  const clean = randomTensor(dims, 9);
  const whole = await noised({ initialNoise: noise, chunkSize: 8 }, clean);
  expect(await noised({ initialNoise: noise, chunkSize: 1 }, clean)).toEqual(whole);
});

test('the clip is left in it as strongly as the timestep says', async () => {
  const clean = randomTensor(dims, 9);
  const [with_, without] = [await noised({}, clean), await noised({})];
  const signal = Math.sqrt(schedule.alphaCumprod(timestep));
  const difference = with_.data.map((value, i) => value - (without.data[i] ?? 0));
  expect(difference).toBeAllClose(
    clean.data.map((value) => signal * value),
    { atol: 1e-5 },
  );
});

describe('the inverted noise', () => {
  const [clean, noise] = [randomTensor(dims, 9), randomTensor(dims, 10)];
  const inverted = addNoise(clean, noise, timestep, schedule);

  async function turned(seed: number, chunkSize = 2) {
    const start = new InMemoryLatents(tensor(dims));
    const stores = { clean: new InMemoryLatents(clean), inverted: new InMemoryLatents(inverted), start };
    await writeTurned(stores, { seed, timestep, schedule, chunkSize });
    return start.tensor;
  }

  test('is left as it is by seed 0', async () => {
    expect((await turned(0)).data).toEqual(inverted.data);
  });

  test('is turned by a seed, by the same for every frame, and as strong as before', async () => {
    const result = await turned(5);
    const { length } = result.data;
    const sigma = Math.sqrt(1 - schedule.alphaCumprod(timestep));
    const fresh = result.data.map((value, i) => {
      const signal = Math.sqrt(schedule.alphaCumprod(timestep)) * (clean.data[i] ?? 0);
      return ((value - signal) / sigma - Math.cos(0.2) * (noise.data[i] ?? 0)) / Math.sin(0.2);
    });
    const rows = Array.from({ length: 5 }, (_, i) => fresh.slice((i * length) / 5, ((i + 1) * length) / 5));
    for (const row of rows) expect(row).toBeAllClose(sharedNoise(5, 1, dims.slice(1)).data, { atol: 1e-4 });
    expect(await turned(5, 4)).toEqual(result);
    expect((await turned(6)).data).not.toEqual(result.data);
  });
});
