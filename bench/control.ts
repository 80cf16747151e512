// ControlNets: how much steadier control pictures are along the clip's exact motion, and what one costs.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ControlledFrames, MadeControlKind } from '../protocol/control.ts';
import { controlPicture } from '../companion-server/src/control-pictures/control-picture.ts';
import { openSample, sampleMotions, sampleNames, type Sample } from '../companion-server/src/demo/samples.ts';
import { controlPictures } from '../companion-server/src/engine/run/control-pictures.ts';
import { createEngine } from '../companion-server/src/engine/worker/supervisor.ts';
import { decodeFrames } from '../companion-server/src/media/decode/frames.ts';
import type { Rgb24Frame } from '../companion-server/src/media/frame.ts';
import { probeClip } from '../companion-server/src/media/probe/probe.ts';
import { measureTemporal } from '../companion-server/src/metrics/temporal.ts';
import { makeTinyControlNet } from '../test/fixtures/tiny-controlnet.ts';
import { benchClip, benchJob, benchModel } from './engine-run.ts';
import { benchFolder } from './folder.ts';
import { interleave } from './interleave.ts';
import { atMost, mean, percent, ratio, reported } from './rows.ts';
import type { Bench, BenchOptions, BenchRow } from './table.ts';

const parts = ['steadiness', 'cost'] as const;
const lineKinds: readonly MadeControlKind[] = ['canny', 'lineart', 'scribble'];
const mostCost = 1.35;
/** Frames and pixels of an edge of the clip that is edited. */
const clip = { frames: 16, edge: 128 };

export const controlBench: Bench = {
  name: 'control',
  title:
    'Warp error of control pictures along the exact motion of the sample clips; wall time of an edit with one ControlNet of the size of its UNet : without',
  parts,
  isOnDemand: true,
  async run(options) {
    const wants = (part: (typeof parts)[number]) => options.only?.includes(part) ?? true;
    return [
      ...(wants('steadiness') ? await measureSteadiness(options) : []),
      ...(wants('cost') ? await measureCost(options) : []),
    ];
  },
};

async function measureSteadiness({ clips, log }: BenchOptions): Promise<readonly BenchRow[]> {
  const names = clips ?? (await sampleNames());
  const errors = lineKinds.map((): { plain: number; steadied: number }[] => []);
  for (const name of names) {
    const sample = await openSample(name);
    const frames: Rgb24Frame[] = [];
    for await (const frame of decodeFrames(await probeClip(sample.clipPath))) frames.push(frame);
    const steadied: Rgb24Frame[][] = lineKinds.map(() => []);
    for await (const { pictures } of controlPictures(inOrder(frames), lineKinds)) {
      pictures.forEach((picture, i) => steadied[i]?.push(picture));
    }
    for (const [i, kind] of lineKinds.entries()) {
      const plain = await warpErrorOf(
        frames.map((frame) => controlPicture(kind, frame)),
        sample,
      );
      const found = { plain, steadied: await warpErrorOf(steadied[i] ?? [], sample) };
      errors[i]?.push(found);
      log(`${name} ${kind}: ${percent(found.plain)}, steadied ${percent(found.steadied)}`);
    }
  }
  return lineKinds.map((kind, i) => {
    const [plain, steadied] = [
      mean(errors[i]?.map((error) => error.plain) ?? []),
      mean(errors[i]?.map((error) => error.steadied) ?? []),
    ];
    const words = `${percent(plain)}, steadied ${percent(steadied)}: ${percent(1 - steadied / plain)} less`;
    return reported(`Warp error of ${kind}, mean of ${names.length} clips`, words);
  });
}

async function warpErrorOf(pictures: readonly Rgb24Frame[], sample: Sample): Promise<number> {
  const { warpError } = await measureTemporal(inOrder(pictures), await sampleMotions(sample));
  return warpError;
}

async function* inOrder(frames: readonly Rgb24Frame[]): AsyncGenerator<Rgb24Frame> {
  for (const frame of frames) yield await Promise.resolve(frame);
}

async function measureCost({ rounds, isQuick }: BenchOptions): Promise<readonly BenchRow[]> {
  const input = await benchClip(clip.frames, clip.edge);
  const net = await makeTinyControlNet(path.join(benchFolder(), 'controlnet'), benchModel(), { isUntrained: true });
  const edit = (frames: ControlledFrames | null) => async (): Promise<number> => {
    const controls = [{ kind: 'canny', net: 'net', scale: 1, start: 0, end: 1, guess: false } as const];
    const job = benchJob(input, frames === null ? {} : { controls, controlledFrames: frames });
    const engine = createEngine({
      entry: new URL('../companion-server/src/engine/worker/process.ts', import.meta.url),
    });
    try {
      const files = frames === null ? {} : { controls: [{ name: 'net', file: net, videoPath: null }] };
      const { stageSeconds } = await engine.edit({ ...job, ...files }, { onProgress: () => undefined });
      return Object.values(stageSeconds).reduce((sum, value) => sum + value, 0);
    } finally {
      await engine.close();
      await rm(job.workDir, { recursive: true, force: true });
      await rm(job.outputPath, { force: true });
    }
  };
  const turns = rounds ?? (isQuick ? 1 : 3);
  const keyframes = await interleave([edit('keyframes'), edit(null)], turns);
  const all = await interleave([edit('all'), edit(null)], turns);
  const of = `${clip.frames} frames, wall time : without`;
  return [
    atMost(`One ControlNet on keyframes, ${of}`, keyframes.ratio, mostCost, ratio),
    reported(`One ControlNet on all frames, ${of}`, ratio(all.ratio)),
  ];
}
