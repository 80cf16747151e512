// The time left that an edit shows, against what it took in the end: ten edits of different kinds, one after the other on a
// machine that knows nothing at first.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sampleSourcePrompt } from '../../companion-server/src/demo/sample-clip.ts';
import { createEngine } from '../../companion-server/src/engine/worker/supervisor.ts';
import { defaultSettings, referencePipeline, type EditSettings } from '../../protocol/edit-settings.ts';
import { sha256OfFile } from '../../companion-server/src/files/sha256.ts';
import { benchClip } from '../engine-run.ts';
import { atMost, ratio, reported } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import type { Figure } from './figure.ts';

const entry = new URL('../../companion-server/src/engine/worker/process.ts', import.meta.url);
/** Pixels; the embedded model's own. */
const edge = 128;
/** Shares of the whole time at which the time left is looked at. */
const moments = [0, 0.1, 0.25, 0.5] as const;
/** Furthest off after a tenth, one way or the other. */
const target = 1.3;

interface Kind {
  readonly name: string;
  readonly frames: number;
  readonly settings: Partial<EditSettings>;
}
const half = { width: 64, height: 64 };
const kinds: readonly Kind[] = [
  { name: 'first edit', frames: 16, settings: { prompt: 'a blue ball on snow' } },
  { name: 'another prompt', frames: 16, settings: { prompt: 'a yellow ball on sand' } },
  { name: 'preview', frames: 16, settings: { preview: true } },
  { name: 'SDEdit, half strength', frames: 16, settings: { technique: 'sdedit', strength: 0.5 } },
  { name: 'another source prompt', frames: 16, settings: { sourcePrompt: 'a ball' } },
  { name: 'half the size', frames: 16, settings: { size: half } },
  { name: 'twice the steps', frames: 8, settings: { steps: 24 } },
  { name: 'frame by frame', frames: 8, settings: { propagation: 'per-frame' } },
  { name: 'a short range', frames: 40, settings: { startSeconds: 0.5, endSeconds: 0.7 } },
  { name: 'reference pipeline', frames: 8, settings: { ...referencePipeline, steps: 6, inversionSteps: 24 } },
];

/** Seconds since the edit began, and the time left that was shown then. */
interface Shown {
  readonly at: number;
  readonly left: number;
}

export const timeLeft: Figure = {
  name: 'time-left',
  async measure({ modelDir, log }) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-time-left-'));
    const engine = createEngine({ entry });
    const found: (readonly number[])[] = [];
    try {
      for (const [i, { name, frames, settings }] of kinds.entries()) {
        const inputPath = await benchClip(frames, edge);
        const shown: Shown[] = [];
        const start = performance.now();
        await engine.edit(
          {
            inputPath,
            clipSha256: await sha256OfFile(inputPath),
            outputPath: path.join(folder, `${i}.mov`),
            modelDir,
            device: 'cpu',
            cacheDir: path.join(folder, 'cache'),
            inversionsDir: path.join(folder, 'inversions'),
            workDir: path.join(folder, `work-${i}`),
            settings: {
              ...defaultSettings(settings.technique),
              sourcePrompt: sampleSourcePrompt,
              prompt: 'a blue ball on snow',
              ...settings,
            },
          },
          {
            onProgress: ({ etaSeconds: left }) => {
              if (left !== null) shown.push({ at: (performance.now() - start) / 1000, left });
            },
          },
        );
        const ratios = ratiosAt(shown, (performance.now() - start) / 1000);
        log(`${name}: ${ratios.map(ratio).join(', ')}`);
        found.push(ratios);
      }
    } finally {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    }
    return rowsOf(found);
  },
};

/** Predicted time left to the real one, at each of the moments of the time that begins with the first prediction. */
function ratiosAt(shown: readonly Shown[], end: number): readonly number[] {
  const begin = shown[0]?.at ?? NaN;
  return moments.map((moment) => {
    const at = begin + moment * (end - begin);
    const last = shown.findLast((one) => one.at <= at + 1e-9);
    return last === undefined ? NaN : last.left / (end - last.at);
  });
}

function rowsOf(found: readonly (readonly number[])[]): readonly BenchRow[] {
  return moments.map((moment, i) => {
    const ratios = found.map((each) => each[i] ?? NaN);
    const furthest = Math.max(...ratios.map((value) => Math.max(value, 1 / value)));
    const figure = `time left, predicted : real at ${100 * moment} %, furthest off of ${found.length} edits`;
    return moment === 0 ? reported(figure, ratio(furthest)) : atMost(figure, furthest, target, ratio);
  });
}
