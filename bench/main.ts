// npm run bench [-- NAME ...] [--only PART,...] [--clips NAME,...] [--rounds N] [--quick] [--write]: measures and prints
// a table per figure; of `gpu` also [--device NAME,...] [--minutes N] [--out DIR],
// of `official` also --official FOLDER. --write puts the tables into docs/performance.md. Ratios come from interleaved
// runs; a missed target is printed, not hidden.

import os from 'node:os';
import { parseArgs } from 'node:util';
import { sampleNames } from '../companion-server/src/demo/samples.ts';
import { controlBench } from './control.ts';
import { detailBench } from './detail/main.ts';
import { fidelityBench } from './fidelity/main.ts';
import { gpuBench, parseDevices } from './gpu/main.ts';
import { jobsBench } from './jobs/main.ts';
import { keyframesBench } from './keyframes/main.ts';
import { maskBench } from './mask/main.ts';
import { memoryBench } from './memory.ts';
import { officialBench } from './official/main.ts';
import { writeSection } from './performance-page.ts';
import { referenceBench } from './reference.ts';
import { pipelineBench } from './pipeline/main.ts';
import { variantsBench } from './pipeline/variants.ts';
import { sd15Bench } from './sd15.ts';
import { checkpointsBench } from './checkpoints.ts';
import { formatTable, type Bench, type BenchRow } from './table.ts';
import { transferBench } from './transfer/main.ts';
import { unetBench } from './unet.ts';

const benches: readonly Bench[] = [
  unetBench,
  sd15Bench,
  checkpointsBench,
  referenceBench,
  pipelineBench,
  variantsBench,
  detailBench,
  fidelityBench,
  controlBench,
  maskBench,
  keyframesBench,
  memoryBench,
  transferBench,
  jobsBench,
  gpuBench,
  officialBench,
];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      only: { type: 'string' },
      clips: { type: 'string' },
      rounds: { type: 'string' },
      variant: { type: 'string', multiple: true, default: [] },
      device: { type: 'string' },
      minutes: { type: 'string' },
      out: { type: 'string' },
      official: { type: 'string' },
    },
  });
  const names = positionals.map((name) => (name === 'schedule' ? 'pipeline' : name));
  const chosen = benches.filter(({ name, isOnDemand }) =>
    names.length === 0 ? isOnDemand !== true : names.includes(name),
  );
  const only = values.only?.split(',') ?? null;
  const clips = values.clips?.split(',') ?? null;
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  const devices = parseDevices(values.device);
  const minutes = values.minutes === undefined ? null : Number(values.minutes);
  const complaint =
    (typeof devices === 'string' ? devices : null) ??
    (minutes === null || minutes > 0 ? null : `--minutes must be a number above 0, got ${values.minutes ?? ''}.`) ??
    complain(
      'bench',
      names,
      benches.map(({ name }) => name),
    ) ??
    complain(
      'part',
      only ?? [],
      chosen.flatMap(({ parts = [] }) => parts),
    ) ??
    complain('clip', clips ?? [], await sampleNames());
  if (complaint !== null) {
    console.error(complaint);
    return 2;
  }
  console.log(machine());
  const all: BenchRow[] = [];
  for (const bench of chosen) {
    console.log(`\n${bench.name}: ${bench.title}`);
    const { quick: isQuick, variant: variants } = values;
    const gpu = {
      devices: typeof devices === 'string' ? null : devices,
      minutes,
      outDir: values.out ?? null,
    };
    const officialFolder = values.official ?? null;
    const rows = await bench.run({ isQuick, only, clips, rounds, variants, gpu, officialFolder, log: console.log });
    console.log(formatTable(rows));
    if (values.write) await writeSection(bench, machine(), rows, only !== null);
    all.push(...rows);
  }
  if (values.quick) console.log(`\n${summarise(all)}`);
  return 0;
}

/** What is wrong with `names` where only `known` are right, or null. */
function complain(kind: string, names: readonly string[], known: readonly string[]): string | null {
  const unknown = names.filter((name) => !known.includes(name));
  return unknown.length === 0 ? null : `There is no ${kind} ${unknown.join(', ')}. There are: ${known.join(', ')}.`;
}

function machine(): string {
  const [cpu] = os.cpus();
  return `${os.cpus().length} x ${cpu?.model ?? 'unknown CPU'}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform}`;
}

/** The rows that have a target, in one line. */
function summarise(rows: readonly BenchRow[]): string {
  return rows
    .filter(({ target }) => target !== '')
    .map(({ figure, value, target, isMet }) => `${figure} ${value} (${target}${isMet ? '' : ', missed'})`)
    .join('; ');
}

process.exitCode = await main();
