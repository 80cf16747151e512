// ControlNets against diffusers (make/controlnet.py): single forwards, and edits of several steps.

import path from 'node:path';
import { ControlNets, type OpenedNet } from '../../companion-server/src/engine/model/controlnets.ts';
import { openMatrixProducts } from '../../companion-server/src/engine/model/matrix-product.ts';
import { UNetDenoiser } from '../../companion-server/src/engine/model/unet-denoiser.ts';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import { parseSchedulerConfig } from '../../companion-server/src/diffusion/scheduler-config.ts';
import { openControlNet, type OpenedControlNet } from '../../companion-server/src/families/open-controlnet.ts';
import { sdxl } from '../../companion-server/src/families/sdxl/family.ts';
import { stableDiffusion } from '../../companion-server/src/families/stable-diffusion/family.ts';
import type { Conditioning } from '../../companion-server/src/nets/conditioning.ts';
import { noInjection } from '../../companion-server/src/nets/pass.ts';
import { sessionOptionsOf } from '../../companion-server/src/onnx/execution.ts';
import type { Graph } from '../../companion-server/src/onnx/graph.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { tensor, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import type { BranchConditioning } from '../../companion-server/src/tokenflow/denoiser.ts';
import { InMemoryLatents } from '../../companion-server/src/tokenflow/in-memory-latents.ts';
import { sample } from '../../companion-server/src/tokenflow/sampler.ts';
import { float32Copy } from '../../companion-server/src/weights/float32-copy.ts';
import { mergedWeights } from '../../companion-server/src/weights/lora/merged-weights.ts';
import { openComponent, type Component } from '../../companion-server/src/weights/component.ts';
import { GoldenFile, holds, weightsFor, type GoldenRun } from './folder.ts';
import { networkLimit, openUNet } from './networks.ts';
import type { GoldenReport } from './report.ts';

/** An edit of one picture as make/controlnet.py wrote it. */
interface ControlCase {
  /** Folder, and by what its residuals are multiplied. */
  readonly nets: readonly (readonly [string, number])[];
  readonly guess?: boolean;
  readonly start?: readonly number[];
  readonly end?: readonly number[];
}

const kinds = ['sd', 'sdxl'] as const;

/** Whether the folder has ControlNets. */
export function hasControlNets(dir: string): boolean {
  return kinds.some((kind) => holds(dir, kind, 'first', 'config.json'));
}

export async function compareControlNets(dir: string, run: GoldenRun, report: GoldenReport): Promise<void> {
  for (const kind of kinds) {
    const folder = path.join(dir, kind);
    const golden = await GoldenFile.open(folder, run.only);
    const setting = await openSetting(kind, folder, golden, run);
    for (const name of ['first', 'single.safetensors', 'difference.safetensors']) {
      const prefix = name.startsWith('difference') ? 'difference.' : 'residual.';
      if (!holds(folder, name) || !golden.compares(prefix)) continue;
      const found = await forward(setting, await setting.open(name));
      for (const [i, residual] of found.entries()) {
        const expected = await golden.read(`${prefix}${i}`);
        report.compare(`${kind} ${name} residual ${i}`, residual.data, expected.data, networkLimit(run));
      }
    }
    const cases = JSON.parse(golden.text('cases')) as Record<string, ControlCase>;
    for (const [name, one] of Object.entries(cases)) {
      if (golden.compares(`${name}.t`)) await compareCase(kind, name, one, setting, report);
    }
  }
}

interface Setting {
  readonly golden: GoldenFile;
  readonly run: GoldenRun;
  readonly folder: string;
  readonly conditioning: BranchConditioning;
  readonly latents: Tensor;
  /** Opens a ControlNet of the folder with its weights. */
  readonly open: (name: string) => Promise<Pick<OpenedNet, 'network' | 'graph'>>;
  readonly createSession: (make: () => Graph) => ReturnType<typeof createSession>;
}

async function openSetting(
  kind: (typeof kinds)[number],
  folder: string,
  golden: GoldenFile,
  run: GoldenRun,
): Promise<Setting> {
  const latents = await golden.read('in.latents');
  const unet: Component = await openComponent(path.join(folder, 'unet'), {
    folder: 'unet',
    stem: 'diffusion_pytorch_model',
  });
  const family = kind === 'sdxl' ? sdxl : stableDiffusion;
  const downscale = golden.number('downscale');
  const model = { family, config: unet.config, weights: unet.weights, latents: { downscale, channels: 4 } };
  const { float, fused } = run.execution;
  const load = run.createSession ?? createSession;
  const weightsOf = async ({ weights, differences }: OpenedControlNet) => {
    const merge = { cacheDir: run.cacheDir, openProducts: openMatrixProducts, inUse: new Set<string>() };
    if (differences.size === 0) return weightsFor(weights, run);
    return weightsFor(mergedWeights(float32Copy(weights, run.cacheDir), differences, merge), run);
  };
  const [, , height = 0, width = 0] = latents.dims;
  const told = async (name: string): Promise<Conditioning> => ({
    tokens: await golden.read(name),
    ...(kind === 'sdxl' && {
      pooled: await golden.read(`${name}.pooled`),
      timeIds: tensor([1, 6], Float32Array.of(...[height, width, 0, 0, height, width].map((side) => side * downscale))),
    }),
  });
  const [target, negative] = [await told('in.prompt'), await told('in.negative')];
  return {
    golden,
    run,
    folder,
    latents,
    conditioning: { source: target, negative, target },
    async open(name) {
      const opened = await openControlNet(model, { name, file: path.join(folder, name) });
      return { network: opened.network, graph: { weights: await weightsOf(opened), float, fused } };
    },
    createSession: (make) => load(make(), sessionOptionsOf(run.execution)),
  };
}

async function forward(
  { golden, latents, conditioning, createSession: create }: Setting,
  net: Pick<OpenedNet, 'network' | 'graph'>,
): Promise<readonly Tensor[]> {
  const picture = await golden.read('in.picture.0');
  const nets = new ControlNets({
    nets: [
      { ...net, strength: { scale: 1, start: 0, end: 1, guess: false }, pictures: () => Promise.resolve(picture) },
    ],
    size: sizeOf(latents),
    steps: 1,
    frames: 'all',
    chunkSize: 1,
    createSession: create,
  });
  const timestep = golden.number('timestep');
  const asked = { step: 0, timestep, frames: [0], latents, branches: ['target'] as const, conditioning };
  const { target = [] } = await nets.residuals(asked);
  await nets.release();
  return target;
}

async function compareCase(
  kind: string,
  name: string,
  { nets, guess = false, start = [], end = [] }: ControlCase,
  setting: Setting,
  report: GoldenReport,
): Promise<void> {
  const { golden, run, folder, conditioning, latents } = setting;
  const steps = golden.number('steps');
  const schedule = createSchedule(
    parseSchedulerConfig({
      _class_name: 'DDIMScheduler',
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: 'scaled_linear',
      clip_sample: false,
      set_alpha_to_one: false,
      steps_offset: 1,
    }),
    steps,
  );
  const opened = await Promise.all(
    nets.map(async ([net, scale], i) => {
      const picture = await golden.read(`in.picture.${i}`);
      const strength = { scale, start: start[i] ?? 0, end: end[i] ?? 1, guess };
      return { ...(await setting.open(net)), strength, pictures: () => Promise.resolve(picture) };
    }),
  );
  const size = sizeOf(latents);
  const { createSession: create } = setting;
  const control = new ControlNets({ nets: opened, size, steps, frames: 'all', chunkSize: 1, createSession: create });
  const denoiser = new UNetDenoiser({ ...(await openUNet(folder, run)), size });
  const own = new InMemoryLatents(latents);
  const unused = { at: () => own };
  const guidance = golden.number('guidance');
  for await (const step of sample({
    denoiser,
    schedule,
    conditioning,
    control,
    source: { mode: 'none', latents: unused, clean: own },
    guidanceAt: () => guidance,
    frameGuidance: 'own',
    injectionAt: () => noInjection,
    propagation: 'paper',
    keyframesAt: () => [],
    keyframeInterval: 1,
    scenes: [{ start: 0, end: 1 }],
    extendedLimit: 1,
    startStep: 0,
    chunkSize: 1,
    maxLatents: 8,
    latents: own,
    next: new InMemoryLatents(tensor(latents.dims)),
  })) {
    const expected = await golden.read(`${name}.t${step.timestep}`);
    const found = await step.latents.read([0]);
    report.compare(`${kind} ${name} t${step.timestep}`, found.data, expected.data, networkLimit(run));
  }
  await control.release();
  await denoiser.release();
}

function sizeOf({ dims: [, , height = 0, width = 0] }: Tensor) {
  return { height, width };
}
