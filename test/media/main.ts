// npm run test:media -- FOLDER: every file of a folder through all that an edit does with a clip but the edit itself. Prints a
// table; exits with 1 when a frame, a rate, a count or a sound is wrong. A refusal is not wrong: it is there to be read.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { judgeClip, type Verdict } from './judge-clip.ts';

async function main(): Promise<number> {
  const [folder, ...rest] = process.argv.slice(2);
  if (folder === undefined || rest.length > 0) {
    console.error('usage: npm run test:media -- FOLDER');
    return 2;
  }
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  const results = await mkdtemp(path.join(tmpdir(), 'tokenflow-judged-'));
  const counts: Record<Verdict, number> = { right: 0, refused: 0, wrong: 0 };
  const width = Math.max(0, ...files.map((file) => path.relative(folder, file).length));
  try {
    for (const file of files.sort()) {
      const start = performance.now();
      const { verdict, facts, reason } = await judgeClip(file, { folder: results });
      counts[verdict]++;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const name = path.relative(folder, file).padEnd(width);
      console.log(`${verdict.padEnd(7)}  ${name}  ${seconds.padStart(6)} s  ${facts.padEnd(28)}  ${reason}`);
    }
  } finally {
    await rm(results, { recursive: true, force: true });
  }
  console.log(`${counts.right} right, ${counts.refused} refused, ${counts.wrong} wrong`);
  return counts.wrong === 0 ? 0 : 1;
}

process.exitCode = await main();
