// A checkpoint of Stable Diffusion XL's real keys and sizes with random weights: its place on the disk, the time to open it, and
// the memory of a small edit against what was estimated. It takes 21 GB of disk.

import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { estimateEdit } from '../companion-server/src/engine/estimate/estimate.ts';
import { benchClip, benchJob, runEdit } from './engine-run.ts';
import { benchFolder } from './folder.ts';
import { fullSdxl, writeRandomSdxl } from '../test/random-sdxl.ts';
import { reported } from './rows.ts';
import type { Bench } from './table.ts';

/** In pixels; the UNet works on an eighth of it. */
const edge = 256;
const frames = 2;
const steps = 2;

export const sdxlBench: Bench = {
  name: 'sdxl',
  title: "A checkpoint of Stable Diffusion XL's size, random weights in half precision, CPU",
  isOnDemand: true,
  async run({ log }) {
    const modelDir = await writeCheckpoint(path.join(benchFolder(), 'sdxl'));
    // Its own, so that the first edit finds no copies and no other bench loses any.
    const cacheDir = path.join(benchFolder(), 'sdxl-cache');
    await rm(cacheDir, { recursive: true, force: true });
    const settings = {
      steps,
      inversionSteps: steps,
      technique: 'pnp',
      size: { width: edge, height: edge },
    } as const;
    const clip = await benchClip(frames, edge);
    const edit = () => runEdit(clip, settings, undefined, { modelDir, cacheDir });
    const first = await edit();
    const second = await edit();
    for (const [name, { stageSeconds }] of Object.entries({ first, second })) {
      log(`seconds of the ${name} edit's stages: ${JSON.stringify(stageSeconds)}`);
    }
    const estimate = await estimateEdit(benchJob(clip, settings, { modelDir, cacheDir }));
    const { inversion, sampling } = second.unetEvaluations;
    const { invert = NaN, edit: editing = NaN } = second.stageSeconds;
    const taken = second.peakMemoryBytes + (second.peakMappedBytes ?? 0);
    return [
      reported('checkpoint in half precision', gigabytes(await folderBytes(modelDir))),
      reported('copies in single precision', gigabytes(await folderBytes(cacheDir))),
      reported('opening for the first time, copies included', `${(first.stageSeconds['load'] ?? NaN).toFixed(1)} s`),
      reported('opening again', `${(second.stageSeconds['load'] ?? NaN).toFixed(1)} s`),
      reported(
        `an evaluation of ${edge}x${edge}, graphs and pages loaded in it`,
        `${((invert + editing) / (inversion + sampling)).toFixed(1)} s`,
      ),
      reported("peak memory of the engine's own", gigabytes(second.peakMemoryBytes)),
      reported('beside it, mapped weights', gigabytes(second.peakMappedBytes ?? 0)),
      reported('estimated peak : taken', `${(estimate.peakMemoryBytes / taken).toFixed(2)} x`),
    ];
  },
};

/** Writes the checkpoint into `dir`, unless it is there, and returns `dir`. */
async function writeCheckpoint(dir: string): Promise<string> {
  return existsSync(path.join(dir, 'model_index.json')) ? dir : writeRandomSdxl(dir, fullSdxl, 'F16');
}

async function folderBytes(dir: string): Promise<number> {
  const names = await readdir(dir, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => stat(path.join(dir, name))));
  return sizes.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
