// npm run bench [-- NAME ...] [--quick] [--write]: measures and prints a table per figure; --write puts the tables
// into docs/performance.md. Ratios come from interleaved runs; a missed target is printed, not hidden.

import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { jobsBench } from './jobs/main.ts';
import { memoryBench } from './memory.ts';
import { referenceBench } from './reference.ts';
import { sd15Bench } from './sd15.ts';
import { formatTable, type Bench } from './table.ts';
import { transferBench } from './transfer/main.ts';
import { unetBench } from './unet.ts';

const benches: readonly Bench[] = [
  unetBench,
  sd15Bench,
  referenceBench,
  memoryBench,
  transferBench,
  jobsBench,
];
const page = path.join(import.meta.dirname, '..', 'docs', 'performance.md');

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(', ')}. There are: ${benches.map(({ name }) => name).join(', ')}.`); // prettier-ignore
    return 2;
  }
  const chosen = benches.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  console.log(machine());
  for (const bench of chosen) {
    console.log(`\n${bench.name}: ${bench.title}`);
    const rows = await bench.run({ isQuick: values.quick, log: console.log });
    console.log(formatTable(rows));
    if (values.write) await writeSection(bench, formatTable(rows));
  }
  return 0;
}

function machine(): string {
  const [cpu] = os.cpus();
  return `${os.cpus().length} x ${cpu?.model ?? 'unknown CPU'}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform}`;
}

/** Replaces what stands between the bench's two markers in docs/performance.md. */
async function writeSection({ name }: Bench, table: string): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${page} has no section ${begin}.`);
  const date = new Date().toISOString().slice(0, 10);
  await writeFile(page, `${before}${begin}\n${machine()}; ${date}\n\n${table}\n${end}${after}`);
}

process.exitCode = await main();
