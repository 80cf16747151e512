import { describe, expect, it } from 'vitest';
import { testBuilder, value } from '../../../test/run-graph.ts';
import type { StoredTensor } from '../tensor/stored-tensor.ts';
import { verifyGraph } from './check.ts';
import { printGraph, type Graph, type Value } from './graph.ts';
import * as ops from './ops.ts';

function stored(dims: readonly number[], dtype: StoredTensor['dtype'] = 'float32'): StoredTensor {
  return { dtype, dims, file: '/weights.safetensors', byteOffset: 0, byteLength: 0 };
}

const weightsOf = (entries: Readonly<Record<string, StoredTensor>>) => ({
  weights: new Map(Object.entries(entries)),
});

describe('a finished graph', () => {
  it('has no node, constant or input that no output needs', () => {
    const g = testBuilder();
    const x = value(g, [2]);
    ops.sigmoid(g, ops.add(g, value(g, [1, 2]), ops.scalar(g, 5)));
    g.output('y', ops.mul(g, x, ops.scalar(g, 2)));
    const graph = g.finish();
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Mul', 'Identity']);
    expect(graph.inputs).toEqual([x]);
    expect(graph.initializers.map((entry) => entry.value.name)).toEqual(['const:float32::2']);
  });

  it('keeps nodes in the order in which they were recorded', () => {
    const g = testBuilder();
    const x = value(g, [2]);
    const first = ops.sigmoid(g, x);
    g.output('y', ops.add(g, ops.erf(g, first), first));
    expect(g.finish().nodes.map(({ op }) => op)).toEqual(['Sigmoid', 'Erf', 'Add', 'Identity']);
  });

  it('returns float32 from a half-precision network', () => {
    const g = testBuilder({ float: 'float16' });
    const output = g.output('y', ops.sigmoid(g, ops.cast(g, value(g, [2]), 'float16')));
    expect(output).toEqual({ name: 'y', dtype: 'float32', dims: [2] });
    expect(g.finish().nodes.at(-1)).toMatchObject({ op: 'Cast', attributes: { to: 1 } });
  });

  it('names nodes after the checkpoint key that they belong to, each once', () => {
    const g = testBuilder();
    const x = value(g, [2]);
    const twice = g.scope('mid_block', () => ops.sigmoid(g, ops.sigmoid(g, x)));
    expect(ops.sigmoid(g, twice).name).toBe('Sigmoid');
    expect(twice.name).toBe('mid_block/Sigmoid_1');
  });
});

describe('equal constants are stored once', () => {
  it.each([
    ['a few values', [1, 2, 3]],
    ['many values', Array.from({ length: 100 }, (_, i) => i)],
  ])('%s', (_, values) => {
    const g = testBuilder();
    const first = g.constant('float32', values, [values.length]);
    expect(g.constant('float32', values, [values.length])).toBe(first);
    expect(g.constant('float32', values.toReversed(), [values.length])).not.toBe(first);
    expect(g.constant('int64', values, [values.length])).not.toBe(first);
    expect(g.constant('float32', values, [1, values.length])).not.toBe(first);
  });
});

describe('a weight', () => {
  it('may be viewed with other dims, and is stored once per view', () => {
    const g = testBuilder(weightsOf({ 'norm.bias': stored([4]) }));
    const column = g.weight('norm.bias', [4, 1, 1]);
    expect(column).toEqual({ name: 'norm.bias:4x1x1', dtype: 'float32', dims: [4, 1, 1] });
    expect(g.weight('norm.bias', [4, 1, 1])).toBe(column);
    expect(g.weight('norm.bias', [4])).not.toBe(column);
  });

  it.each(['float16', 'bfloat16'] as const)('of %s is cast once in a float32 graph', (dtype) => {
    const g = testBuilder(weightsOf({ w: stored([2], dtype) }));
    const cast = g.weight('w', [2]);
    expect(cast.dtype).toBe('float32');
    expect(g.weight('w', [2])).toBe(cast);
    g.output('y', ops.add(g, cast, cast));
    const graph = g.finish();
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Cast', 'Add', 'Identity']);
    expect(graph.initializers.map((entry) => entry.value.dtype)).toEqual([dtype]);
  });

  it('is taken in part from where those rows lie in its file', () => {
    const whole = { ...stored([6, 5], 'float16'), byteOffset: 100, byteLength: 60 };
    const g = testBuilder({ ...weightsOf({ w: whole }), float: 'float16' });
    const last = g.weightPart('w', [6, 5], { index: 2, count: 3 });
    expect(last).toEqual({ name: 'w[2/3]:2x5', dtype: 'float16', dims: [2, 5] });
    expect(g.weightPart('w', [6, 5], { index: 2, count: 3 })).toBe(last);
    g.output('y', ops.cast(g, ops.add(g, last, g.weightPart('w', [6, 5], { index: 0, count: 3 })), 'float32'));
    expect(g.finish().initializers).toMatchObject([
      { value: last, stored: { dims: [2, 5], byteOffset: 140, byteLength: 20 } },
      { stored: { dims: [2, 5], byteOffset: 100, byteLength: 20 } },
    ]);
  });

  it('whose rows do not divide into so many parts is named', () => {
    const g = testBuilder(weightsOf({ w: stored([5, 2]) }));
    expect(() => g.weightPart('w', [5, 2], { index: 0, count: 2 })).toThrow(
      'test: weight w has 5 rows, which are no multiple of 2.',
    );
  });

  it('that is missing is named', () => {
    expect(() => testBuilder().weight('conv_in.weight', [4])).toThrow(
      'test: the checkpoint has no weight named conv_in.weight.',
    );
  });

  it('of another size is named with both shapes', () => {
    const g = testBuilder(weightsOf({ 'conv_in.bias': stored([320]) }));
    expect(() => g.weight('conv_in.bias', [16])).toThrow(
      'test: weight conv_in.bias must have the shape [16], got [320].',
    );
    expect(g.hasWeight('conv_in.bias')).toBe(true);
    expect(g.hasWeight('conv_in.weight')).toBe(false);
  });
});

describe('verifyGraph', () => {
  const x: Value = { name: 'x', dtype: 'float32', dims: [2] };
  const y: Value = { name: 'y', dtype: 'float32', dims: [2] };
  const node = (name: string, inputs: readonly Value[], output: Value) =>
    ({ name, op: 'Add', domain: '', inputs, outputs: [output], attributes: {} }) as const;
  const graph: Graph = { name: 'test', inputs: [x], outputs: [y], nodes: [node('n', [x, x], y)], initializers: [] };

  it('accepts a graph in order', () => {
    expect(() => verifyGraph(graph)).not.toThrow();
  });

  it.each<[string, Partial<Graph>]>([
    [
      'test: n uses z float32[1] before it is made.',
      { nodes: [node('n', [{ name: 'z', dtype: 'float32', dims: [1] }], y)] },
    ],
    ['test: n uses x float32[2] before it is made.', { nodes: [node('n', [{ ...x }], y)] }],
    ['test: a value must be made once, got y float32[2].', { nodes: [node('n', [x], y), node('m', [x], y)] }],
    ['test: names must differ, got y float32[2].', { nodes: [node('n', [x], y), node('m', [x], { ...y })] }],
    ['test: an output must be made, got y float32[2].', { nodes: [] }],
  ])('says "%s"', (message, fault) => {
    expect(() => verifyGraph({ ...graph, ...fault })).toThrow(message);
  });
});

describe('printGraph', () => {
  it('reads line by line, with types, shapes, attributes and left-out inputs', () => {
    const g = testBuilder(weightsOf({ 'proj.weight': stored([3, 2]) }));
    const rows = g.input('rows', 'float32', [{ factor: 3, symbols: ['frames'] }, 2]);
    const gated = g.scope('proj', () => ops.gemm(g, rows, g.weight('proj.weight', [3, 2]), null));
    g.output('result', ops.fusedGelu(g, gated));
    expect(printGraph(g.finish())).toBe(
      [
        'graph test(rows float32[3*frames, 2])',
        '  proj/Gemm float32[3*frames, 3] = Gemm(rows, proj.weight:3x2, transB=1)',
        '  Gelu float32[3*frames, 3] = com.microsoft.Gelu(proj/Gemm)',
        '  result float32[3*frames, 3] = Identity(Gelu)',
        '  return result',
      ].join('\n'),
    );
  });
});
