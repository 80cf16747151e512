// The bench against the official code where that, or a Python for it, is missing; and how it speaks with Python. The real
// comparison needs PyTorch and is no test.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { officialBench } from '../bench/official/main.ts';
import { PythonProcess } from '../bench/python-process.ts';
import type { BenchRow } from '../bench/table.ts';

const variable = 'TOKENFLOW_PYTHON';
let usualPython: string | undefined;
let dir: string;
beforeEach(async () => {
  usualPython = process.env[variable];
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-official-'));
});
afterEach(async () => {
  if (usualPython === undefined) Reflect.deleteProperty(process.env, variable);
  else process.env[variable] = usualPython;
  await rm(dir, { recursive: true });
});

async function runBench(officialFolder: string | null): Promise<{ rows: readonly BenchRow[]; lines: string[] }> {
  const lines: string[] = [];
  const rows = await officialBench.run({
    isQuick: true,
    only: ['speed'],
    clips: null,
    rounds: 1,
    variants: [],
    gpu: { devices: null, minutes: null, outDir: null },
    officialFolder,
    log: (line) => lines.push(line),
  });
  return { rows, lines };
}

describe('the bench against the official code', () => {
  test('says that it needs a copy of that code, and measures nothing', async () => {
    for (const folder of [null, dir]) {
      const { rows, lines } = await runBench(folder);
      expect(rows).toEqual([]);
      expect(lines).toEqual([
        `--official must name a copy of github.com/omerbt/TokenFlow at 5dd6a69, got ${folder ?? 'nothing'}: no comparison.`,
      ]);
    }
  });

  test('says what Python lacks where it cannot be started, and measures nothing', async () => {
    await writeFile(path.join(dir, 'run_tokenflow_pnp.py'), '');
    process.env[variable] = path.join(dir, 'no-such-python');
    const { rows, lines } = await runBench(dir);
    expect(rows).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('Python has not torch, diffusers 0.21 and transformers 4.33');
  });
});

describe('a Python program that answers lines', () => {
  // Any program does that answers; this one is Node's.
  const start = async (script: string) => {
    process.env[variable] = process.execPath;
    const file = path.join(dir, 'answers.mjs');
    await writeFile(file, script);
    return PythonProcess.start(file, ['--first', 'argument']);
  };
  const answering = `
    import { createInterface } from 'node:readline';
    const say = (message) => console.log(JSON.stringify(message));
    say({ ready: true, args: process.argv.slice(2) });
    for await (const line of createInterface({ input: process.stdin })) {
      const { want } = JSON.parse(line);
      if (want === 'end') process.exit();
      say(want === 'fail' ? { error: 'no such thing' } : { seconds: want });
    }`;

  test('gives its first line, its seconds and its own words for a failure', async () => {
    const python = await start(answering);
    if (python === null) throw new Error('It did not start.');
    expect(python.ready).toEqual({ ready: true, args: ['--first', 'argument'] });
    expect(await python.seconds({ want: 1.5 })).toBe(1.5);
    await expect(python.ask({ want: 'fail' })).rejects.toThrow('no such thing');
    await expect(python.seconds({ want: 'a word' })).rejects.toThrow('Python answered without seconds.');
    await expect(python.ask({ want: 'end' })).rejects.toThrow('Python ended.');
  });

  test('is nothing where it ends before it is ready', async () => {
    expect(await start('process.exit(1);')).toBeNull();
  });
});
