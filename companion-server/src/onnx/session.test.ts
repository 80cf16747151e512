// Files, sessions and what ONNX Runtime makes of them.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate, randomTensor, testBuilder } from '../../../test/run-graph.ts';
import type { StoredTensor } from '../tensor/stored-tensor.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import type { GraphBuilder } from './builder.ts';
import { symbol } from './dims.ts';
import type { Graph } from './graph.ts';
import * as ops from './ops.ts';
import { encodeModel, sharedFolder, weightsFolder } from './serde.ts';
import { availableProviders, createSession, explainLoadFailure } from './session.ts';

let dir: string;
beforeAll(async () => {
  // Weights are named by their real place, and the temporary folder may be a link.
  dir = await realpath(await mkdtemp(path.join(os.tmpdir(), 'tokenflow-onnx-')));
});
afterAll(() => rm(dir, { recursive: true }));

/** Writes `values` behind some other bytes and says where they are. */
async function store(name: string, values: Tensor, padding = 64): Promise<StoredTensor> {
  const file = path.join(dir, name);
  const bytes = new Uint8Array(values.data.buffer);
  await writeFile(file, Buffer.concat([Buffer.alloc(padding, 0xff), bytes]));
  const place = { file, byteOffset: padding, byteLength: bytes.length };
  return { dtype: 'float32', dims: values.dims, ...place };
}

/** rows [frames, 3] times the stored weight */
function product(weights: Readonly<Record<string, StoredTensor>>): Graph {
  const g = testBuilder({ weights: new Map(Object.entries(weights)) });
  const rows = g.input('rows', 'float32', [symbol('frames'), 3]);
  const outputs = Object.keys(weights).map((key) => ops.gemm(g, rows, g.weight(key, [2, 3]), null));
  g.output(
    'result',
    outputs.reduce((sum, one) => ops.add(g, sum, one)),
  );
  return g.finish();
}

describe('a model file', () => {
  it('points to a weight by file name, offset and length, and holds none of its bytes', async () => {
    const stored = await store('weights.safetensors', randomTensor([2, 3]), 128);
    const text = Buffer.from(encodeModel(product({ weight: stored }))).toString('latin1');
    const entries = { location: 'weights.safetensors', offset: '128', length: '24' };
    for (const [key, value] of Object.entries(entries)) {
      // Field 1 with its length and the key, field 2 with its length and the value.
      const entry = `\n${String.fromCharCode(key.length)}${key}\x12${String.fromCharCode(value.length)}${value}`;
      expect(text).toContain(entry);
    }
    expect(text).not.toContain(dir);
    expect(weightsFolder(product({ weight: stored }))).toBe(dir);
  });

  it('has no weights folder when it has no weights', () => {
    const g = testBuilder();
    g.output('y', ops.sigmoid(g, g.input('x', 'float32', [1])));
    expect(weightsFolder(g.finish())).toBeUndefined();
  });

  it('finds weights in several folders below the one that all are in', async () => {
    await mkdir(path.join(dir, 'sub', 'deep'), { recursive: true });
    const here = await store('here.safetensors', randomTensor([2, 3]));
    const there = await store(path.join('sub', 'deep', 'there.safetensors'), randomTensor([2, 3], 5));
    expect(weightsFolder(product({ here, there }))).toBe(dir);
    expect(weightsFolder(product({ there, again: { ...there } }))).toBe(path.join(dir, 'sub', 'deep'));
    const session = await createSession(product({ here, there }), { provider: 'cpu' });
    await session.release();
  });

  it('reads weights through a link that leads to another folder, as the cache of the hub has them', async () => {
    await mkdir(path.join(dir, 'snapshot'), { recursive: true });
    const blob = await store('blob', randomTensor([2, 3]));
    const link = path.join(dir, 'snapshot', 'linked.safetensors');
    await symlink(blob.file, link);
    const session = await createSession(product({ linked: { ...blob, file: link } }), { provider: 'cpu' });
    await session.release();
  });

  it('takes no folder for another whose name begins in the same way', () => {
    expect(sharedFolder(path.join(dir, 'a', 'b'), path.join(dir, 'a', 'c'))).toBe(path.join(dir, 'a'));
    expect(sharedFolder(path.join(dir, 'a'), path.join(dir, 'ab'))).toBe(dir);
    expect(sharedFolder(dir, dir)).toBe(dir);
  });
});

describe('a session', () => {
  const rows = randomTensor([4, 3], 9);

  it('reads a weight from its file as if it were inside the graph', async () => {
    const weight = randomTensor([2, 3]);
    const stored = await store('inlined.safetensors', weight);
    const session = await createSession(product({ stored }), { provider: 'cpu' });
    const { result } = await session.run({ rows });
    await session.release();
    const inlined = await evaluate({ rows }, (g, v) =>
      ops.gemm(g, v.rows, g.constant('float32', [...weight.data], [2, 3]), null),
    );
    expect(result).toEqual(inlined);
  });

  it('reads weights from several files of a folder', async () => {
    const one = await store('one.safetensors', randomTensor([2, 3], 1));
    const two = await store('two.safetensors', randomTensor([2, 3], 2));
    const session = await createSession(product({ one, two }), { provider: 'cpu' });
    const { result } = await session.run({ rows });
    await session.release();
    expect(result?.dims).toEqual([4, 2]);
  });

  it('returns fresh memory from every run', async () => {
    const stored = await store('fresh.safetensors', randomTensor([2, 3]));
    const session = await createSession(product({ stored }), { provider: 'cpu' });
    const first = (await session.run({ rows }))['result'];
    const kept = first?.data.slice();
    await session.run({ rows: tensor([4, 3]) });
    await session.release();
    expect(first?.data).toEqual(kept);
  });

  it('refuses inputs of other dims and weights beyond the end of the file', async () => {
    const stored = await store('short.safetensors', randomTensor([2, 3]));
    const session = await createSession(product({ stored }), { provider: 'cpu' });
    await expect(session.run({ rows: tensor([4, 5]) })).rejects.toThrow(/invalid dimensions/i);
    await session.release();
    const beyond = { ...stored, byteOffset: stored.byteOffset + 4096 };
    await expect(createSession(product({ beyond }), { provider: 'cpu' })).rejects.toThrow(/bound/);
  });

  it('refuses a graph that is out of order before ONNX Runtime sees it', async () => {
    const stored = await store('order.safetensors', randomTensor([2, 3]));
    const graph = product({ stored });
    const reversed = { ...graph, nodes: graph.nodes.toReversed() };
    await expect(createSession(reversed, { provider: 'cpu' })).rejects.toThrow('before it is made');
  });

  it('is refused on a provider that this build lacks, instead of running elsewhere', async () => {
    expect(availableProviders()).toContain('cpu');
    const missing = availableProviders().includes('dml') ? 'coreml' : 'dml';
    const stored = await store('missing.safetensors', randomTensor([2, 3]));
    await expect(createSession(product({ stored }), { provider: missing })).rejects.toThrow(
      `This ONNX Runtime has no provider ${missing}.`,
    );
  });
});

describe('half precision', () => {
  it('on the CPU is close to single precision', async () => {
    const [x, weight, bias] = [randomTensor([2, 4, 5, 3]), randomTensor([4, 4, 3, 3], 2), randomTensor([4], 3)];
    const build = (
      g: GraphBuilder,
      v: Readonly<Record<'x' | 'weight' | 'bias', Parameters<typeof ops.sigmoid>[1]>>,
    ) => {
      const convolved = ops.sigmoid(g, ops.conv(g, v.x, v.weight, v.bias));
      return ops.softmax(g, ops.mul(g, convolved, ops.scalar(g, 3)));
    };
    const feeds = { x, weight, bias };
    const half = await evaluate(feeds, build, { float: 'float16' });
    const single = await evaluate(feeds, build);
    expect(half.data).toBeAllClose(single.data, { atol: 5e-3 });
    expect(half.data).not.toEqual(single.data);
  });
});

describe('ONNX Runtime that cannot be loaded', () => {
  const dlopenFailed = 'A dynamic link library (DLL) initialization routine failed.';

  it('on Windows names the C++ runtime to install', () => {
    const text = explainLoadFailure(new Error(`${dlopenFailed}\n\\\\?\\C:\\tokenflow\\x.node`), 'win32');
    expect(text).toContain(dlopenFailed);
    expect(text).toContain('Microsoft Visual C++ 2015-2022 Redistributable');
    expect(text).not.toContain('C:\\');
  });

  it('elsewhere says what to do without it', () => {
    const text = explainLoadFailure(new Error('libstdc++.so.6: cannot open shared object file'), 'linux');
    expect(text).toContain('libstdc++.so.6');
    expect(text).not.toContain('Visual C++');
  });

  it('leaves the program running: it lists no device, and says why when it should compute', async () => {
    // In a process of its own, whose package throws as Node does when a library cannot be opened.
    const broken = `data:text/javascript,throw Object.assign(new Error(${JSON.stringify(dlopenFailed)}), { code: 'ERR_DLOPEN_FAILED' })`;
    const hooks = `export const resolve = (name, context, next) => name === 'onnxruntime-node' ? { url: ${JSON.stringify(broken)}, shortCircuit: true } : next(name, context)`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))})`;
    const program = `
      const { availableProviders, createSession, runtimeFailure } = await import(${JSON.stringify(new URL('session.ts', import.meta.url).href)});
      const graph = { name: 'empty', inputs: [], outputs: [], nodes: [], initializers: [] };
      const failure = await createSession(graph, { provider: 'cpu' }).catch((error) => error);
      console.log(JSON.stringify({ providers: availableProviders(), why: runtimeFailure(), name: failure.name }));`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...['--import', 'tsx', '--import', dataUrl(register)],
      ...['--input-type=module', '--eval', program],
    ]);
    const told = JSON.parse(stdout) as { providers: string[]; why: string; name: string };
    expect(told).toMatchObject({ providers: [], name: 'RuntimeLoadError' });
    expect(told.why).toContain(dlopenFailed);
  });
});

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
