// Checkpoints of the real keys and sizes of Stable Diffusion 1.5 and XL with random weights in half precision, as a folder and
// in one file: the time to open them, what they take of disk and memory, and what was estimated. They take 40 GB of disk,
// not all at once.

import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { estimateEdit } from '../companion-server/src/engine/estimate/estimate.ts';
import {
  fullSize,
  textShapes,
  unetConfigOf,
  unetShapesOf,
  vaeShapes,
  writeRandomCheckpoint,
} from '../test/random-checkpoint.ts';
import { writeRandomOneFile } from '../test/random-one-file.ts';
import { fullSdxl, oneFileOfSdxl, writeRandomSdxl } from '../test/random-sdxl.ts';
import { benchClip, benchJob, runEdit } from './engine-run.ts';
import { benchFolder } from './folder.ts';
import { reported } from './rows.ts';
import type { Bench, BenchRow } from './table.ts';

/** In pixels; the UNet works on an eighth of it. */
const edge = 256;
const frames = 2;
const steps = 2;

interface Case {
  readonly title: string;
  /** What it is called in `--only`. */
  readonly name: string;
  /** Writes the checkpoint and returns its path. */
  readonly write: (folder: string) => Promise<string>;
}

const vaeChannels = [128, 256, 512, 512];

const cases: readonly Case[] = [
  {
    name: 'sd15-folder',
    title: 'Stable Diffusion 1.5, folder',
    write: (folder) => writeRandomCheckpoint(path.join(folder, 'sd15'), fullSize, 'F16'),
  },
  {
    name: 'sd15-file',
    title: 'Stable Diffusion 1.5, one file',
    async write(folder) {
      const file = path.join(folder, 'sd15.safetensors');
      const parts = {
        unet: unetShapesOf(fullSize),
        unetConfig: unetConfigOf(fullSize),
        vae: vaeShapes(fullSize),
        vaeChannels,
        texts: [{ prefix: 'cond_stage_model.transformer.', shapes: textShapes(fullSize), isOpenClip: false }],
      };
      await writeRandomOneFile(file, parts, 'F16');
      return file;
    },
  },
  {
    name: 'sdxl-folder',
    title: 'Stable Diffusion XL, folder',
    write: (folder) => writeRandomSdxl(path.join(folder, 'sdxl'), fullSdxl, 'F16'),
  },
  {
    name: 'sdxl-file',
    title: 'Stable Diffusion XL, one file',
    async write(folder) {
      const file = path.join(folder, 'sdxl.safetensors');
      await writeRandomOneFile(file, oneFileOfSdxl(fullSdxl), 'F16');
      return file;
    },
  },
];

export const checkpointsBench: Bench = {
  name: 'checkpoints',
  title: 'Checkpoints of real keys and sizes, random weights in half precision, CPU',
  isOnDemand: true,
  parts: cases.map(({ name }) => name),
  async run({ isQuick, only, log }) {
    const rows: BenchRow[] = [];
    for (const one of cases) {
      const isWanted = only === null ? !isQuick || one.name.startsWith('sd15') : only.includes(one.name);
      if (isWanted) rows.push(...(await measure(one, log)));
    }
    return rows;
  },
};

async function measure({ name, title, write }: Case, log: (line: string) => void): Promise<readonly BenchRow[]> {
  // Folders of its own, so that the first edit finds no copies and no other bench loses any.
  const folder = path.join(benchFolder(), 'checkpoints', name);
  const cacheDir = path.join(folder, 'cache');
  await rm(folder, { recursive: true, force: true });
  try {
    const modelDir = await write(folder);
    const settings = { steps, inversionSteps: steps, technique: 'pnp', size: { width: edge, height: edge } } as const;
    const clip = await benchClip(frames, edge);
    const edit = () => runEdit(clip, settings, undefined, { modelDir, cacheDir });
    const first = await edit();
    const second = await edit();
    for (const [which, { stageSeconds }] of Object.entries({ first, second })) {
      log(`${title}: seconds of the ${which} edit's stages: ${JSON.stringify(stageSeconds)}`);
    }
    const estimate = await estimateEdit(benchJob(clip, settings, { modelDir, cacheDir }));
    const { inversion, sampling } = second.unetEvaluations;
    const { invert = NaN, edit: editing = NaN } = second.stageSeconds;
    const taken = second.peakMemoryBytes + (second.peakMappedBytes ?? 0);
    const row = (figure: string, value: string): BenchRow => reported(`${title}: ${figure}`, value);
    return [
      row('on the disk', gigabytes(await bytesAt(modelDir))),
      row('copies in single precision', gigabytes(await bytesAt(cacheDir))),
      row('opening for the first time, copies included', `${(first.stageSeconds['load'] ?? NaN).toFixed(1)} s`),
      row('opening again', `${(second.stageSeconds['load'] ?? NaN).toFixed(1)} s`),
      row(
        `an evaluation of ${edge}x${edge}, graphs and pages loaded in it`,
        `${((invert + editing) / (inversion + sampling)).toFixed(1)} s`,
      ),
      row("peak memory of the engine's own", gigabytes(second.peakMemoryBytes)),
      row('beside it, mapped weights', gigabytes(second.peakMappedBytes ?? 0)),
      row('estimated peak : taken', `${(estimate.peakMemoryBytes / taken).toFixed(2)} x`),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bytesAt(file: string): Promise<number> {
  const found = await stat(file);
  if (found.isFile()) return found.size;
  const names = await readdir(file, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => stat(path.join(file, name))));
  return sizes.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
