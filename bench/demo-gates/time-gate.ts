import os from 'node:os';
import { atMost, reported, seconds } from '../rows.ts';
import type { Gate } from './gate.ts';

export const timeGate: Gate = {
  name: 'time',
  title: 'One edit of a whole sample clip at default settings, from the request to the file; a single run',
  isQuick: false,
  async run({ editor, samples, log }) {
    const [sample] = samples;
    const prompt = sample?.targets[0]?.prompt;
    if (sample === undefined || prompt === undefined) return [];
    const { report, seconds: taken, load } = await editor.edit(sample, null, { prompt });
    log(`stages in seconds: ${JSON.stringify(report.stageSeconds)}`);
    const { inversion, sampling } = report.unetEvaluations;
    const memory = `${Math.round(report.peakMemoryBytes / 2 ** 20)} MiB of its own and ${Math.round((report.peakMappedBytes ?? 0) / 2 ** 20)} MiB mapped`;
    return [
      atMost(
        `${report.frames} frames on ${os.cpus().length} CPU cores, load ${load.toFixed(1)} at the start`,
        taken,
        90,
        seconds,
      ),
      reported('UNet forwards of one latent', `${inversion} + ${sampling}`),
      reported('highest memory of the engine', memory),
    ];
  },
};
