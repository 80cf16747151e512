// How well a mask that is given on one frame of a clip follows what it covers: against the exact masks of the sample clips.

import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { openSample, sampleMasks, sampleNames, type Sample } from '../../companion-server/src/demo/samples.ts';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import { openCarriedMask } from '../../companion-server/src/engine/mask/carried-mask.ts';
import type { CoarseMask } from '../../companion-server/src/engine/mask/coarse-mask.ts';
import { openWordMask } from '../../companion-server/src/engine/mask/word-mask.ts';
import { openModel, type Model } from '../../companion-server/src/engine/model/model.ts';
import { chooseSettings, readEditDefaults } from '../../companion-server/src/engine/plan/edit-defaults.ts';
import { planEdit } from '../../companion-server/src/engine/plan/edit-plan.ts';
import { readLatents } from '../../companion-server/src/engine/run/clip-latents.ts';
import { LatentFile } from '../../companion-server/src/engine/source-cache/latent-file.ts';
import { overlapOf, resizeCoverage, type Coverage } from '../../companion-server/src/mask/coverage.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { preferredExecution } from '../../companion-server/src/onnx/execution.ts';
import { benchJob, benchModel } from '../engine-run.ts';
import { benchFolder } from '../folder.ts';
import { atLeast, mean, ratio, reported } from '../rows.ts';
import type { Bench, BenchRow } from '../table.ts';

const targets = { mean: 0.85, worst: 0.75, words: 0.7 };

/** Of a clip with a mask on some frames. */
interface Followed {
  /** IoU of each frame that has no mask of its own. */
  readonly overlaps: readonly number[];
  readonly secondsPerFrame: number;
  /** IoU of each frame of the mask from the word for the object. */
  readonly worded: readonly number[];
}

export const maskBench: Bench = {
  name: 'mask',
  title: 'IoU of a mask carried from one frame to all others, with the exact masks of the sample clips',
  async run({ clips, log }) {
    const model = await openModel({
      dir: benchModel(),
      execution: preferredExecution.cpu,
      cacheDir: path.join(benchFolder(), 'cache'),
    });
    const rows: BenchRow[] = [];
    const means: number[] = [];
    const wordMeans: number[] = [];
    for (const name of clips ?? (await sampleNames())) {
      const sample = await openSample(name);
      const first = await follow(model, sample, [0]);
      const both = await follow(model, sample, [0, sample.frames - 1]);
      log(`${name}: ${ratio(mean(first.overlaps))}; from words ${ratio(mean(first.worded))}`);
      wordMeans.push(mean(first.worded));
      means.push(mean(first.overlaps));
      const what = sample.hard ? `${name}, a hard clip` : name;
      const worst = Math.min(...first.overlaps);
      rows.push(
        atLeast(`${what}: drawn on the first frame`, mean(first.overlaps), targets.worst, ratio),
        reported(
          `${what}: its worst frame; drawn on the last as well, mean`,
          `${ratio(worst)}; ${ratio(mean(both.overlaps))}`,
        ),
        reported(
          `${what}: from the word "${sample.object}", mean; worst frame`,
          `${ratio(mean(first.worded))}; ${ratio(Math.min(...first.worded))}`,
        ),
        reported(`${what}: time of a frame`, `${(1_000 * first.secondsPerFrame).toFixed(0)} ms`),
      );
    }
    return [
      atLeast('mean of the clips, drawn on the first frame', mean(means), targets.mean, ratio),
      atLeast('mean of the clips, from words', mean(wordMeans), targets.words, ratio),
      ...rows,
    ];
  },
};

/** IoU of each frame. Closes the mask. */
async function overlapsOf(found: CoarseMask, exact: readonly Coverage[]): Promise<readonly number[]> {
  const [first] = exact;
  if (first === undefined) return [];
  const reader = found.reader(first);
  const overlaps: number[] = [];
  for (const [frame, mask] of exact.entries()) overlaps.push(overlapOf(await reader.at(frame), mask));
  await reader.close();
  await found.close();
  return overlaps;
}

async function follow(model: Model, sample: Sample, given: readonly number[]): Promise<Followed> {
  const workDir = await mkdtemp(path.join(benchFolder(), 'mask-'));
  const clip = await probeClip(sample.clipPath);
  const exact = (await sampleMasks(sample)).map((mask): Coverage => ({
    width: sample.width,
    height: sample.height,
    values: Float32Array.from(mask),
  }));
  const asked = { ...defaultSettings(), prompt: sample.caption, sourcePrompt: sample.caption };
  const settings = chooseSettings(asked, await readEditDefaults(benchModel(), model.defaults));
  const plan = planEdit(clip, model, settings);
  const { height, width } = plan.latentSize;
  const denoiser = model.createDenoiser(plan.latentSize);
  const clean = await LatentFile.create({
    path: path.join(workDir, 'clean.latents'),
    frameCount: plan.frameCount,
    frameDims: [model.unet.latentChannels, height, width],
    slots: 1,
  });
  const vae = await model.openEncoder(plan.latentSize);
  try {
    await readLatents(clip, plan, vae, clean.slot(0), { onFrames: () => undefined });
    const [conditioning] = await model.conditioning([sample.caption], plan.size.padded);
    if (conditioning === undefined) throw new RangeError('There is no conditioning.');
    const masks = given.map((frame) => ({
      frame,
      draw: (size: { width: number; height: number }) =>
        Promise.resolve(resizeCoverage(exact[frame] as Coverage, size)),
    }));
    const beganAt = performance.now();
    const job = { ...benchJob(sample.clipPath, asked), workDir };
    const context = { job, settings, clip, plan, model, denoiser, signal: undefined };
    const sampling = createSchedule(model.scheduler, settings.steps);
    const source = { clean: clean.slot(0), conditioning };
    const carried = await openCarriedMask({ ...context, sampling }, masks, source);
    const overlaps = (await overlapsOf(carried, exact)).filter((_, frame) => !given.includes(frame));
    const secondsPerFrame = (performance.now() - beganAt) / 1_000 / exact.length;
    const worded = await overlapsOf(await openWordMask({ ...context, sampling }, sample.object, source), exact);
    return { overlaps, secondsPerFrame, worded };
  } finally {
    await vae.release();
    await denoiser.release();
    await clean.close();
    await rm(workDir, { recursive: true, force: true });
  }
}
