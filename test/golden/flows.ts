// Inversion and whole edits against the golden latents: free-running on the CPU; elsewhere every step starts from the
// golden latents before it, because a nearest neighbour that flips by rounding changes a frame for good.

import { createSchedule, type Schedule } from '../../companion-server/src/diffusion/schedule.ts';
import { parseSchedulerConfig } from '../../companion-server/src/diffusion/scheduler-config.ts';
import { UNetDenoiser } from '../../companion-server/src/engine/model/unet-denoiser.ts';
import { sliceRows, tensor, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { injectionAt } from '../../companion-server/src/techniques/plug-and-play.ts';
import type { BranchConditioning } from '../../companion-server/src/tokenflow/denoiser.ts';
import { invert } from '../../companion-server/src/tokenflow/inversion.ts';
import { sample, type SamplerOptions } from '../../companion-server/src/tokenflow/sampler.ts';
import { scenesOf } from '../../companion-server/src/tokenflow/scenes.ts';
import { InMemoryLatents } from '../../companion-server/src/tokenflow/in-memory-latents.ts';
import { maxAbsError } from '../numbers.ts';
import { readJson, type GoldenFile, type GoldenRun } from './folder.ts';
import { openUNet } from './networks.ts';
import type { GoldenReport } from './report.ts';

const limits = { inversion: 1e-4, flow: 2e-3, frameOnDevice: 5e-3 } as const;

/** Of the frames, so many may differ on a device: a near-tie between neighbours flips by rounding. */
const flippedShare = 1 / 8;

const flows = {
  pnp: { mode: 'recomputed', propagation: 'reference', isInjected: true },
  sdedit: { mode: 'recomputed', propagation: 'reference', isInjected: false },
  paper: { mode: 'recomputed', propagation: 'paper', isInjected: true },
  perframe: { mode: 'none', propagation: 'paper', isInjected: false },
} as const;
export type FlowName = keyof typeof flows;

/** What all flows of a folder share. */
export interface FlowSetting {
  readonly golden: GoldenFile;
  readonly run: GoldenRun;
  readonly unet: Awaited<ReturnType<typeof openUNet>>;
  readonly schedule: Schedule;
  readonly conditioning: BranchConditioning;
  readonly clip: Tensor; // [N, C, h, w]
  readonly size: { readonly height: number; readonly width: number };
}

export async function openFlowSetting(dir: string, golden: GoldenFile, run: GoldenRun): Promise<FlowSetting> {
  const config = parseSchedulerConfig(await readJson(dir, 'scheduler', 'scheduler_config.json'));
  const clip = await golden.read('flow.in.latents');
  const [, , height = 0, width = 0] = clip.dims;
  return {
    golden,
    run,
    unet: await openUNet(dir, run),
    schedule: createSchedule(config, golden.number('steps')),
    conditioning: {
      source: { tokens: await golden.read('flow.in.source_context') },
      negative: { tokens: await golden.read('flow.in.negative_context') },
      target: { tokens: await golden.read('flow.in.target_context') },
    },
    clip,
    size: { height, width },
  };
}

export async function compareFlows(setting: FlowSetting, report: GoldenReport): Promise<void> {
  const denoiser = new UNetDenoiser({ ...setting.unet, size: setting.size });
  if (setting.golden.compares('inversion.t')) await compareInversion(setting, denoiser, report);
  for (const flow of Object.keys(flows) as FlowName[]) {
    if (setting.golden.compares(`${flow}.t`)) await compareFlow(setting, flow, denoiser, report);
  }
  await denoiser.release();
}

const isFreeRunning = ({ run }: FlowSetting) => run.execution.provider === 'cpu';

async function compareInversion(setting: FlowSetting, denoiser: UNetDenoiser, report: GoldenReport): Promise<void> {
  const { golden, schedule, conditioning, clip } = setting;
  const upwards = schedule.timesteps.toReversed();
  const current = new InMemoryLatents(clip);
  const run = invert({
    denoiser,
    schedule,
    conditioning: conditioning.source,
    latents: current,
    next: current,
    method: { name: 'ddim' },
    startStep: 0,
    keep: () => undefined,
    chunkSize: clip.dims[0] ?? 1,
  });
  for await (const step of run) {
    const name = `inversion.t${upwards[step - 1] ?? ''}`;
    const expected = await golden.read(name);
    compareLatents(setting, name, current.tensor, expected, limits.inversion, report);
    if (!isFreeRunning(setting)) await current.write(0, expected);
  }
}

async function compareFlow(
  setting: FlowSetting,
  flow: FlowName,
  denoiser: UNetDenoiser,
  report: GoldenReport,
): Promise<void> {
  const { golden } = setting;
  // Flows without a start of their own begin where Plug-and-Play begins.
  const start = await golden.read(golden.has(`${flow}.start`) ? `${flow}.start` : 'pnp.start');
  const latents = new InMemoryLatents(start);
  const options = await samplerOptions(setting, flow, denoiser, latents);
  for await (const step of sample(options)) {
    const name = `${flow}.t${step.timestep}`;
    const expected = await golden.read(name);
    const store = step.latents;
    if (!(store instanceof InMemoryLatents)) throw new TypeError('The sampler made a store of its own.');
    compareLatents(setting, name, store.tensor, expected, limits.flow, report);
    if (!isFreeRunning(setting)) await store.write(0, expected);
  }
}

/** The sampler as the golden data was made, from `latents` on. */
export async function samplerOptions(
  { golden, schedule, conditioning, clip }: FlowSetting,
  flow: FlowName,
  denoiser: UNetDenoiser,
  latents: InMemoryLatents,
): Promise<SamplerOptions> {
  const { mode, propagation, isInjected } = flows[flow];
  const keyframes = mode === 'none' ? null : await golden.integers(`${flow}.keyframes`);
  const perStep = keyframes?.dims[1] ?? 0;
  const thresholds = isInjected
    ? { attention: golden.number('pnp_attn_t'), features: golden.number('pnp_f_t') }
    : { attention: 0, features: 0 };
  const trajectory = new Map<number, InMemoryLatents>();
  for (const timestep of schedule.timesteps) {
    trajectory.set(timestep, new InMemoryLatents(await golden.read(`inversion.t${timestep}`)));
  }
  return {
    denoiser,
    schedule,
    conditioning,
    guidanceAt: () => golden.number('guidance'),
    frameGuidance: 'own',
    injectionAt: (step) => injectionAt(thresholds, step, schedule.timesteps.length),
    propagation,
    keyframesAt: (step) => keyframes?.data.slice(step * perStep, (step + 1) * perStep) ?? [],
    keyframeInterval: golden.number('batch_size'),
    scenes: scenesOf(clip.dims[0] ?? 0, []),
    extendedLimit: perStep,
    chunkSize: golden.number('batch_size'),
    maxLatents: Infinity,
    startStep: 0,
    source: {
      mode,
      latents: { at: (timestep) => trajectory.get(timestep) ?? latents },
      clean: new InMemoryLatents(clip),
    },
    latents,
    next: new InMemoryLatents(tensor(clip.dims)),
  };
}

/** As a whole on the CPU, frame by frame elsewhere. */
function compareLatents(
  setting: FlowSetting,
  name: string,
  actual: Tensor,
  expected: Tensor,
  limit: number,
  report: GoldenReport,
): void {
  if (!setting.golden.compares(name)) return;
  if (isFreeRunning(setting)) {
    report.compare(name, actual.data, expected.data, limit);
    return;
  }
  const frames = expected.dims[0] ?? 0;
  const errors = Array.from({ length: frames }, (_, i) =>
    maxAbsError(sliceRows(actual, i, i + 1).data, sliceRows(expected, i, i + 1).data),
  );
  const close = errors.filter((error) => error <= limits.frameOnDevice).length;
  const needed = frames - Math.floor(frames * flippedShare);
  const error = Math.max(...errors);
  const worst = error.toExponential(2);
  const finding = `${close} of ${frames} frames within ${limits.frameOnDevice.toExponential(0)}, ${needed} needed, worst ${worst}`;
  report.record(name, close >= needed, finding, { error, strayFrames: frames - close });
}
