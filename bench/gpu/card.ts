// What nvidia-smi says of the card: what it is, and how busy and full it is while something runs.

import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const timeoutMs = 10_000;
const samplesEveryMs = 250;

export interface CardUsage {
  readonly peakBytes: number;
  /** Of the samples, those in which the card did nothing. */
  readonly idleShare: number;
  readonly samples: number;
}

/** `name, driver, memory` of the card, or null where there is no nvidia-smi. */
export async function describeCard(): Promise<string | null> {
  const query = ['--query-gpu=name,driver_version,memory.total,clocks.max.sm', '--format=csv,noheader'];
  return promisify(execFile)('nvidia-smi', query, { timeout: timeoutMs }).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
}

/** Samples the card until `stop`, which returns null where nothing could be read. */
export async function watchCard(): Promise<{ stop(): CardUsage | null }> {
  if ((await describeCard()) === null) return { stop: () => null };
  const query = ['--query-gpu=utilization.gpu,memory.used', '--format=csv,noheader,nounits'];
  const child = spawn('nvidia-smi', [...query, '-lms', String(samplesEveryMs)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  child.on('error', () => undefined);
  return {
    stop: () => {
      child.kill();
      return usageOf(text);
    },
  };
}

/** Lines of `percent, MiB`. */
export function usageOf(text: string): CardUsage | null {
  const samples = text
    .split('\n')
    .map((line) => /^\s*(\d+),\s*(\d+)\s*$/.exec(line))
    .filter((match) => match !== null)
    .map(([, busy, mebibytes]) => ({ busy: Number(busy), bytes: Number(mebibytes) * 2 ** 20 }));
  if (samples.length === 0) return null;
  return {
    peakBytes: Math.max(...samples.map(({ bytes }) => bytes)),
    idleShare: samples.filter(({ busy }) => busy === 0).length / samples.length,
    samples: samples.length,
  };
}
