// The same edit by the engine and by the official code: how far the pictures are apart, and where the two part.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import { createInversionSchedule } from '../../companion-server/src/diffusion/inversion-schedule.ts';
import { openModel } from '../../companion-server/src/engine/model/model.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { collect, makeClip } from '../../companion-server/src/media/testing/clips.ts';
import { preferredExecution } from '../../companion-server/src/onnx/execution.ts';
import type { Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { drawKeyframes } from '../../companion-server/src/tokenflow/keyframes.ts';
import { openSafetensors, readTensor } from '../../companion-server/src/weights/safetensors.ts';
import { maxAbsError } from '../../test/numbers.ts';
import { benchModel } from '../engine-run.ts';
import { benchFolder } from '../folder.ts';
import { atLeast, decibels, reported } from '../rows.ts';
import type { BenchOptions, BenchRow } from '../table.ts';
import { startOfficialCode } from './official-code.ts';
import { recordEdit, type RecordedEdit } from './recorded-edit.ts';

/** Of the official repository: the clip of its README. */
const clip = path.join('data', 'wolf.mp4');
const frames = 16;
const keyframeInterval = 4;
const [inversionSteps, steps] = [25, 5];
const guidance = 7.5;
const prompts = { source: 'a wolf', target: 'a shiny silver robotic wolf', negative: 'ugly, blurry' } as const;
const wantedDecibels = 60;

export async function measureAgreement(folder: string, { log }: BenchOptions): Promise<readonly BenchRow[]> {
  const dir = path.join(benchFolder(), `official-${process.pid}`);
  await mkdir(dir, { recursive: true });
  try {
    return await compareEdits(folder, dir, log);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function compareEdits(folder: string, dir: string, log: BenchOptions['log']): Promise<readonly BenchRow[]> {
  const modelDir = benchModel();
  const cacheDir = path.join(benchFolder(), 'cache');
  const model = await openModel({ dir: modelDir, execution: preferredExecution.cpu, cacheDir });
  const edge = model.trainingSide;
  const inputPath = await makeClip(path.join(dir, 'clip.mkv'), [
    ...['-i', path.join(folder, clip), '-frames:v', String(frames)],
    ...['-vf', `crop='min(iw,ih)':'min(iw,ih)',scale=${edge}:${edge}:flags=lanczos,format=gbrp`, '-c:v', 'ffv1'],
  ]);
  const pictures = path.join(dir, 'pictures');
  await writeFile(
    pictures,
    Buffer.concat((await collect(decodeFrames(await probeClip(inputPath)))).map(({ rgb }) => rgb)),
  );

  const settings = {
    ...defaultSettings('pnp'),
    prompt: prompts.target,
    sourcePrompt: prompts.source,
    negativePrompt: prompts.negative,
    schedule: 'reference',
    propagation: 'reference',
    size: { width: edge, height: edge },
    steps,
    inversionSteps,
    guidance,
    keyframeInterval,
  } as const;
  const scenes = [{ start: 0, end: frames }];
  const keyframes = Array.from({ length: steps }, (_, step) =>
    drawKeyframes(settings.seed, step, scenes, keyframeInterval),
  );
  const python = await startOfficialCode(folder, { model: modelDir }, log);
  if (python === null) return [];
  const out = path.join(dir, 'official.safetensors');
  try {
    await python.ask({
      do: 'edit',
      ...{ pictures, frames, height: edge, width: edge, prompts, steps, guidance, keyframes, out },
      ...{ inversion_steps: inversionSteps, keyframe_interval: keyframeInterval },
    });
  } finally {
    python.stop();
  }

  const sampling = createSchedule(model.scheduler, steps);
  const [end = 0] = createInversionSchedule(model.scheduler, sampling, inversionSteps).timesteps;
  const side = edge / model.vae.latents.downscale;
  const job = { inputPath, outputPath: path.join(dir, 'edited.mov'), modelDir, device: 'cpu', cacheDir } as const;
  const ours = await recordEdit(
    { ...job, workDir: path.join(dir, 'work'), settings },
    model,
    [frames, model.unet.latentChannels, side, side],
    { timesteps: sampling.timesteps, end },
  );
  return compare(
    ours,
    out,
    `${frames} frames of ${path.basename(clip)} at ${edge}x${edge}, ${inversionSteps}/${steps} steps`,
    log,
  );
}

async function compare(
  { latents, pictures }: RecordedEdit,
  file: string,
  what: string,
  log: BenchOptions['log'],
): Promise<readonly BenchRow[]> {
  const official = await openSafetensors(file);
  const differences = new Map<string, number>();
  for (const [name, { data }] of latents) {
    const theirs = await readTensor(official, name);
    differences.set(name, maxAbsError(data, theirs.data));
    log(
      `${name}: largest difference ${differences.get(name)?.toExponential(1) ?? ''}, ${decibels(psnrOf(data, theirs, deviation(theirs)))} below its deviation`,
    );
  }
  const largest = (prefix: string) =>
    Math.max(...[...differences].filter(([name]) => name.startsWith(prefix)).map(([, value]) => value)).toExponential(
      1,
    );
  return [
    atLeast(
      `pictures, ours against the official code's, ${what}`,
      psnrOf(pictures.data, await readTensor(official, 'pictures'), 1),
      wantedDecibels,
      decibels,
    ),
    reported(
      'the same, if the official code started from the latents where the inversion passed the first step',
      decibels(psnrOf(pictures.data, await readTensor(official, 'pictures.inverted_start'), 1)),
    ),
    reported('largest difference of latents: clip', largest('clean')),
    reported('largest difference of latents: inversion', largest('inversion')),
    reported('largest difference of latents: end of the inversion', largest('noisiest')),
    reported('largest difference of latents: start of the edit', largest('start')),
    reported('largest difference of latents: any step of the edit', largest('edit')),
  ];
}

/** Decibels between `ours` and `theirs`, with `peak` for the signal. */
function psnrOf(ours: Float32Array, { data: theirs }: Tensor, peak: number): number {
  const squares = theirs.reduce((sum, value, i) => sum + ((ours[i] ?? NaN) - value) ** 2, 0);
  return 10 * Math.log10(peak ** 2 / (squares / theirs.length));
}

function deviation({ data }: Tensor): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0) / data.length);
}
