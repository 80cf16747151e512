// Memory and time against the length of the clip, each edit in an engine process of its own.

import { sampleSourcePrompt } from '../../companion-server/src/demo/sample-clip.ts';
import { benchClip, runEdit } from '../engine-run.ts';
import { median } from '../interleave.ts';
import { atMost, ratio, reported } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import type { Figure } from './figure.ts';

const edge = 64;
/** The short one before and after the long one, since a shared machine changes its speed. */
const lengths = { short: 200, long: 1_000 } as const;
const limit = 1.1;

interface Cost {
  readonly bytes: number;
  /** Without what an edit takes to begin. */
  readonly secondsPerFrame: number;
}

export const length: Figure = {
  name: 'length',
  async measure({ log }) {
    const cost = async (frames: number): Promise<Cost> => {
      const size = { width: edge, height: edge };
      const clip = await benchClip(frames, edge);
      const {
        peakMemoryBytes: bytes,
        seconds,
        stageSeconds,
      } = await runEdit(clip, { size, sourcePrompt: sampleSourcePrompt });
      const secondsPerFrame = (seconds - (stageSeconds['load'] ?? 0)) / frames;
      log(
        `${frames} frames: ${megabytes(bytes)}, ${(1000 * secondsPerFrame).toFixed(0)} ms per frame, ${JSON.stringify(stageSeconds)}`,
      );
      return { bytes, secondsPerFrame };
    };
    const before = await cost(lengths.short);
    const long = await cost(lengths.long);
    return rowsOf(long, [before, await cost(lengths.short)]);
  },
};

function rowsOf(long: Cost, short: readonly Cost[]): readonly BenchRow[] {
  const bytes = median(short.map((one) => one.bytes));
  const seconds = median(short.map((one) => one.secondsPerFrame));
  const what = `${lengths.long} : ${lengths.short} frames of ${edge}x${edge}`;
  return [
    reported(`peak memory of the engine, ${lengths.long} frames of ${edge}x${edge}`, megabytes(long.bytes)),
    atMost(`peak memory, ${what}`, long.bytes / bytes, limit, ratio),
    atMost(`time per frame, ${what}`, long.secondsPerFrame / seconds, limit, ratio),
  ];
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
