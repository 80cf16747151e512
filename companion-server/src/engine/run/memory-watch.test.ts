import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { generate } from '../../../../test/run-graph.ts';
import { GraphBuilder } from '../../onnx/builder.ts';
import { plainExecution } from '../../onnx/execution.ts';
import * as ops from '../../onnx/ops.ts';
import { createSession } from '../../onnx/session.ts';
import type { StoredTensor } from '../../tensor/stored-tensor.ts';
import { watchMemory } from './memory-watch.ts';

const megabyte = 2 ** 20;

test('memory that is taken is part of the peak from then on', async () => {
  // In a process of its own: what other tests have left is given back at any time, and would hide what is taken.
  const code = `
    import { watchMemory } from ${JSON.stringify(new URL('memory-watch.ts', import.meta.url).href)};
    const watch = watchMemory();
    const before = watch.peak().privateBytes;
    let taken = Buffer.alloc(${64 * megabyte}, 1);
    const during = watch.peak().privateBytes;
    taken = null;
    gc();
    console.log(JSON.stringify({ before, during, after: watch.peak().privateBytes }));
    await watch.stop();`;
  const flags = ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  const { before, during, after } = JSON.parse(stdout) as Record<'before' | 'during' | 'after', number>;
  expect(during - before).toBeGreaterThan(32 * megabyte);
  expect(after).toBeGreaterThanOrEqual(before);
});

// Only Linux tells private from mapped memory.
test.runIf(process.platform === 'linux')(
  'weights that two sessions map count once, and not as memory of its own',
  async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-memory-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const [rows, columns] = [4096, 4096];
    const sizeBytes = 4 * rows * columns;
    const file = path.join(dir, 'weights');
    await writeFile(file, Buffer.alloc(sizeBytes, 1));
    const stored: StoredTensor = {
      dtype: 'float32',
      dims: [rows, columns],
      file,
      byteOffset: 0,
      byteLength: sizeBytes,
    };
    const { float, fused } = plainExecution('cpu');
    const open = () => {
      const g = new GraphBuilder({ name: 'test', weights: new Map([['weight', stored]]), float, fused });
      const x = g.input('x', 'float32', [1, rows]);
      g.output('y', ops.matMul(g, x, g.weight('weight', [rows, columns])));
      return createSession(g.finish(), { provider: 'cpu' });
    };
    const watch = watchMemory();
    onTestFinished(() => watch.stop());
    const before = watch.peak();
    const sessions = [await open(), await open()];
    for (const session of sessions) await session.run({ x: generate([1, rows], () => 1) });
    const after = watch.peak();
    for (const session of sessions) await session.release();
    const mapped = (after.mappedBytes ?? 0) - (before.mappedBytes ?? 0);
    expect(mapped).toBeGreaterThan(0.9 * sizeBytes);
    expect(mapped).toBeLessThan(1.5 * sizeBytes);
    expect(after.privateBytes - before.privateBytes).toBeLessThan(sizeBytes);
  },
);
