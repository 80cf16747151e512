// npm run eval:demo [-- --quick] [--only GATE,...] [--clips NAME,...] [--frames N] [--model DIR] [--sheets]
// Measures what the embedded model can do, with the product's own engine, and prints a table per gate. A missed gate
// is printed, not hidden; the exit code only says whether the evaluation ran to its end. --sheets writes the pictures
// of README and model card to models/demo/images.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openSample, sampleNames } from '../../companion-server/src/demo/samples.ts';
import { openModel } from '../../companion-server/src/engine/model/model.ts';
import { preferredExecution } from '../../companion-server/src/onnx/execution.ts';
import { benchFolder } from '../folder.ts';
import { formatTable, type BenchRow } from '../table.ts';
import { Editor } from '../demo-world/editor.ts';
import { editsGate } from './edits-gate.ts';
import type { Gate } from './gate.ts';
import { inversionGate } from './inversion-gate.ts';
import { judgeGate } from './judge-gate.ts';
import { openJudge } from '../demo-world/judge.ts';
import { createSheets } from './sheets.ts';
import { sizeGate } from './size-gate.ts';
import { stabilityGate } from './stability-gate.ts';
import { textToImageGate } from './text-to-image-gate.ts';
import { timeGate } from './time-gate.ts';
import { vaeGate } from './vae-gate.ts';

/** Short ones first, so that a fault shows early; those that need more edits later. */
const gates: readonly Gate[] = [
  judgeGate,
  sizeGate,
  vaeGate,
  textToImageGate,
  timeGate,
  inversionGate,
  editsGate,
  stabilityGate,
];

/** What a quick run edits of a clip. */
const quickFrames = 8;

const demo = path.join(import.meta.dirname, '..', '..', 'models', 'demo');

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      clips: { type: 'string' },
      frames: { type: 'string' },
      model: { type: 'string', default: demo },
      sheets: { type: 'boolean', default: false },
    },
  });
  const modelDir = path.resolve(values.model);
  // A model that is not the embedded one may bring a world of its own.
  const worldDir = existsSync(path.join(modelDir, 'judge')) ? modelDir : demo;
  const [samplesDir, judgeDir, heldOutDir] = ['samples', 'judge', 'held-out'].map((name) =>
    path.join(worldDir, name),
  ) as [string, string, string];
  const names = await sampleNames(samplesDir);
  const wanted = values.only?.split(',') ?? gates.map(({ name }) => name);
  const clips = values.clips?.split(',') ?? names;
  const unknown = [
    ...wanted.filter((name) => !gates.some((gate) => gate.name === name)),
    ...clips.filter((name) => !names.includes(name)),
  ];
  if (unknown.length > 0) {
    console.error(
      `There is no ${unknown.join(', ')}. Gates: ${gates.map(({ name }) => name).join(', ')}. Clips: ${names.join(', ')}.`,
    );
    return 2;
  }
  const editedFrames = values.frames === undefined ? (values.quick ? quickFrames : null) : Number(values.frames);
  if (editedFrames !== null && !(Number.isInteger(editedFrames) && editedFrames >= 1)) {
    console.error(`--frames must be a whole number from 1, got '${values.frames ?? ''}'.`);
    return 2;
  }
  const isChosen = ({ name, isQuick }: Gate) =>
    wanted.includes(name) && (isQuick || !values.quick || values.only !== undefined);
  const skipped = gates.filter((gate) => !isChosen(gate)).map(({ name }) => name);

  const log = (line: string) => console.log(`  ${line}`);
  const cacheDir = path.join(benchFolder(), 'cache');
  await mkdir(cacheDir, { recursive: true });
  console.log(
    `${os.cpus().length} x ${os.cpus()[0]?.model ?? 'unknown CPU'}, load ${os.loadavg()[0]?.toFixed(1) ?? ''}, Node ${process.versions.node}; ${new Date().toISOString()}`,
  );
  if (values.quick) console.log('A quick sample: few pictures, few steps, one short edit.');
  if (editedFrames !== null) console.log(`Edits are of the first ${editedFrames} frames of a clip.`);
  if (values.clips !== undefined) console.log(`Only the clips ${clips.join(', ')}.`);

  const editor = await Editor.open({ sharesInversions: true, modelDir, cacheDir, log });
  const judge = await openJudge(judgeDir);
  const rows: BenchRow[] = [];
  try {
    const context = {
      modelDir,
      judge,
      judgeDir,
      heldOutDir,
      editor,
      log,
      model: await openModel({ dir: modelDir, execution: preferredExecution.cpu, cacheDir }),
      samples: await Promise.all(clips.map((name) => openSample(name, samplesDir))),
      isQuick: values.quick,
      editedFrames,
      sheets: values.sheets ? createSheets(path.join(demo, 'images'), log) : null,
    };
    for (const gate of gates.filter(isChosen)) {
      console.log(`\n${gate.name}: ${gate.title}`);
      const start = performance.now();
      const found = await gate.run(context);
      console.log(`${formatTable(found.map(withVerdict))}\n(${((performance.now() - start) / 1000).toFixed(0)} s)`);
      rows.push(...found);
    }
  } finally {
    await judge.release();
    await editor.close();
  }
  const judged = rows.filter(({ target }) => target !== '');
  const passed = judged.filter(({ isMet }) => isMet).length;
  if (skipped.length > 0) console.log(`\nnot run: ${skipped.join(', ')}`);
  console.log(`\ngates: ${passed} passed, ${judged.length - passed} failed`);
  return 0;
}

/** The table marks what was missed; here what was reached is marked as well. */
function withVerdict(row: BenchRow): BenchRow {
  return row.isMet && row.target !== '' ? { ...row, target: `${row.target} (ok)` } : row;
}

process.exitCode = await main();
