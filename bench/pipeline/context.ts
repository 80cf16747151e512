// What the parts of the pipeline bench share: one engine, the judge, the sample clips.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { openSample, sampleNames } from '../../companion-server/src/demo/samples.ts';
import { Editor } from '../demo-world/editor.ts';
import { openJudge } from '../demo-world/judge.ts';
import { benchModel } from '../engine-run.ts';
import { benchFolder } from '../folder.ts';
import type { BenchOptions } from '../table.ts';
import type { PipelineContext } from './figure.ts';
import { KeptReferences } from './kept-references.ts';

const usualRounds = 5;
const judgeDir = path.join(import.meta.dirname, '..', '..', 'models', 'demo', 'judge');

export async function withContext<T>(
  { clips, rounds, log }: BenchOptions,
  work: (context: PipelineContext) => Promise<T>,
): Promise<T> {
  const modelDir = benchModel();
  const cacheDir = path.join(benchFolder(), 'cache');
  await mkdir(cacheDir, { recursive: true });
  const editor = await Editor.open({ modelDir, cacheDir, sharesInversions: true, log: (line) => log(`  ${line}`) });
  const judge = await openJudge(judgeDir);
  let references: Promise<KeptReferences> | null = null;
  try {
    const samples = await Promise.all((clips ?? (await sampleNames())).map((name) => openSample(name)));
    return await work({
      modelDir,
      editor,
      judge,
      samples,
      rounds: rounds ?? usualRounds,
      references: () => (references ??= KeptReferences.open(editor, modelDir)),
      log,
    });
  } finally {
    await judge.release();
    await editor.close();
  }
}
