// Peak memory of the engine process against the length of the clip: frames, latents and tokens are streamed.

import { benchClip, runEdit } from './engine-run.ts';
import type { Bench, BenchRow } from './table.ts';

const edge = 64;
const lengths = [40, 200, 1000];
const steps = 2;

export const memoryBench: Bench = {
  name: 'memory',
  title: `Peak memory of the engine process by clip length (${edge}x${edge}, ${steps} steps)`,
  async run({ isQuick, log }) {
    const peaks = new Map<number, number>();
    let mapped = 0;
    for (const frames of isQuick ? lengths.slice(0, 2) : lengths) {
      const settings = { steps, inversionSteps: steps, size: { width: edge, height: edge } };
      const report = await runEdit(await benchClip(frames, edge), settings);
      peaks.set(frames, report.peakMemoryBytes);
      mapped = Math.max(mapped, report.peakMappedBytes ?? 0);
      log(
        `${frames} frames: ${megabytes(report.peakMemoryBytes)} of its own, ${megabytes(report.peakMappedBytes ?? 0)} mapped, ${(report.seconds / frames).toFixed(2)} s per frame`,
      );
    }
    const rows: BenchRow[] = [...peaks].map(([frames, bytes]) => ({
      figure: `peak memory of the engine's own, ${frames} frames`,
      value: megabytes(bytes),
      target: '',
      isMet: true,
    }));
    rows.push({ figure: 'beside it, mapped weights', value: megabytes(mapped), target: '', isMet: true });
    const [long, short] = isQuick ? [200, 40] : [1000, 200];
    const ratio = (peaks.get(long) ?? NaN) / (peaks.get(short) ?? NaN);
    rows.push({
      figure: `peak memory, ${long} : ${short} frames`,
      value: ratio.toFixed(2),
      target: isQuick ? '' : '<= 1.1',
      isMet: isQuick || ratio <= 1.1,
    });
    return rows;
  },
};

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
