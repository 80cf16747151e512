import { describe, expect, it } from 'vitest';
import { FakeDenoiser, flatConditioning } from '../../../../test/fake-denoiser.ts';
import { InMemoryLatents } from '../../tokenflow/in-memory-latents.ts';
import { generate, randomTensor } from '../../../../test/run-graph.ts';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import { createSchedule } from '../../diffusion/schedule.ts';
import { parseSchedulerConfig } from '../../diffusion/scheduler-config.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { calibrateInversion, calibrationEvaluations, type CalibratedEdit } from './inversion-calibration.ts';

const side = { width: 4, height: 4 };
const scheduler = parseSchedulerConfig({});
const [steps, inversionSteps] = [4, 8];
const text = flatConditioning(0.1);

/** Sees noise as `see` does, number by number, and counts how often it looks at a frame. */
class Seeing extends FakeDenoiser {
  looks = 0;
  private readonly see: (x: number) => number;

  constructor(see: (x: number) => number) {
    super();
    this.see = see;
  }

  override predict(latents: Tensor): Promise<Tensor> {
    this.looks += latents.dims[0] ?? 0;
    return Promise.resolve({ ...latents, data: latents.data.map((x) => this.see(x)) });
  }
}

/** Notes which frames were read. */
class NotedLatents extends InMemoryLatents {
  readonly noted: number[] = [];

  override read(indices: readonly number[]): Promise<Tensor> {
    this.noted.push(...indices);
    return super.read(indices);
  }
}

function editOf(denoiser: FakeDenoiser, frameCount = 30): CalibratedEdit {
  const chosen = {
    steps,
    inversionSteps,
    guideBy: 'negative',
    guidance: 7,
    calibrates: true,
    inversion: 'fixed-point',
  } as const;
  return {
    denoiser,
    sampling: createSchedule(scheduler, steps),
    settings: { ...defaultSettings(), prompt: 'a wolf', ...chosen },
    plan: { frameCount, latentSize: side, size: { scaled: side, padded: side, left: 0, top: 0 } },
    model: {
      openDecoder: () =>
        Promise.resolve({
          run: ({ dims, data }: Tensor) =>
            Promise.resolve(
              generate([dims[0] ?? 0, 3, 4, 4], (...[n = 0, , y = 0, x = 0]) => (data[16 * n + 4 * y + x] ?? NaN) / 3),
            ),
          release: () => Promise.resolve(),
        }),
    },
  };
}

const clipOf = (frameCount = 30) => new NotedLatents(randomTensor([frameCount, 1, 4, 4], 5));
/** Forwards of a frame for one measurement: there, and back. */
const forwards = (inversion: number) => inversion + steps;

describe('the calibration', () => {
  it('is content at once with a network whose steps are undone exactly', async () => {
    const denoiser = new Seeing(() => 0.3);
    const found = await calibrateInversion(editOf(denoiser), text, clipOf());
    expect(found.inversionSteps).toBe(inversionSteps);
    expect(found.reconstructionPsnr).toBeGreaterThan(60);
    expect(denoiser.looks).toBe(2 * forwards(inversionSteps));
  });

  it.each([
    ['once', 0.7, 1, 16],
    ['twice', 0.9, 1.5, 32],
  ])('doubles the forwards %s, until the clip is found again', async (_, height, waves, taken) => {
    const denoiser = new Seeing((x) => height * Math.sin(waves * x));
    const found = await calibrateInversion(editOf(denoiser), text, clipOf());
    expect(found.inversionSteps).toBe(taken);
    expect(found.reconstructionPsnr).toBeGreaterThan(32);
    const tried = [8, 16, 32].filter((count) => count <= taken);
    expect(denoiser.looks).toBe(tried.reduce((sum, count) => sum + 2 * forwards(count), 0));
  });

  it('stops where twice the forwards bring less than 1 dB, and keeps the fewest', async () => {
    const denoiser = new Seeing((x) => 3 * Math.sin(40 * x));
    const found = await calibrateInversion(editOf(denoiser), text, clipOf());
    expect(found.reconstructionPsnr).toBeLessThan(32);
    expect(found.inversionSteps).toBe(inversionSteps);
    expect(denoiser.looks).toBe(2 * (forwards(8) + forwards(16)));
  });

  it('stops at once where more of them lead astray', async () => {
    const denoiser = new Seeing((x) => 3 * x);
    const found = await calibrateInversion(editOf(denoiser), text, clipOf());
    expect(denoiser.looks).toBe(2 * (forwards(8) + forwards(16)));
    expect(found.inversionSteps).toBe(inversionSteps);
  });

  it('gives up at four times the forwards while each doubling helps, and says what that reaches', async () => {
    const denoiser = new Seeing((x) => 0.9 * Math.sin(1.75 * x));
    const found = await calibrateInversion(editOf(denoiser), text, clipOf());
    expect(found.reconstructionPsnr).toBeLessThan(32);
    expect(found.inversionSteps).toBe(32);
    expect(denoiser.looks).toBe(2 * (forwards(8) + forwards(16) + forwards(32)));
  });

  it.each([
    [1, [0]],
    [9, [4]],
    [20, [5, 15]],
    [300, [75, 225]],
  ])('looks at few of %i frames, and leaves the clip as it is', async (frameCount, rows) => {
    const clip = clipOf(frameCount);
    const before = clip.tensor.data.slice();
    await calibrateInversion(editOf(new Seeing(() => 0), frameCount), text, clip);
    expect(clip.noted).toEqual(rows);
    expect(clip.tensor.data).toEqual(before);
  });

  it.each([
    ['four frames or fewer', 4, [16]],
    ['more', 5, [8, 16]],
  ])('begins with twice the forwards where a failed try would cost most: with %s', async (_, frameCount, tries) => {
    const told: number[] = [];
    const edit = editOf(new Seeing((x) => 0.7 * Math.sin(x)), frameCount);
    await calibrateInversion(edit, text, clipOf(frameCount), ({ inversionSteps }) => told.push(inversionSteps));
    expect(told).toEqual(tries);
  });

  it.each([4, 5])('is counted before it begins as its first try, with %i frames', async (frameCount) => {
    const edit = editOf(new Seeing(() => 0.3), frameCount);
    const told: number[] = [];
    await calibrateInversion(edit, text, clipOf(frameCount), ({ evaluations }) => told.push(evaluations));
    expect(told).toEqual([calibrationEvaluations(edit.settings, edit.plan)]);
  });

  it('tells before each try what it will have taken with it', async () => {
    const denoiser = new Seeing((x) => 0.9 * Math.sin(1.5 * x));
    const told: { readonly inversionSteps: number; readonly evaluations: number; readonly looks: number }[] = [];
    await calibrateInversion(editOf(denoiser), text, clipOf(), (one) => told.push({ ...one, looks: denoiser.looks }));
    expect(told.map((one) => one.inversionSteps)).toEqual([8, 16, 32]);
    expect(told.map((one) => one.looks)).toEqual([0, ...told.slice(0, -1).map((one) => one.evaluations)]);
    expect(denoiser.looks).toBe(told.at(-1)?.evaluations);
  });

  it('goes all the way up for SDEdit as well, so that one inversion serves every technique', async () => {
    const edit = editOf(new Seeing((x) => 0.7 * Math.sin(x)));
    const sdedit = { ...edit, settings: { ...edit.settings, technique: 'sdedit', strength: 0.3 } } as const;
    expect(await calibrateInversion(sdedit, text, clipOf())).toEqual(await calibrateInversion(edit, text, clipOf()));
  });
});
