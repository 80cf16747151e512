// The UNet's graphs on the tiny networks of the golden fixtures. Their numbers are compared with the reference in
// test/golden; here are sizes, forms and what the passes leave out.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  fixtureUNet,
  graphOptions,
  openFixtureNetworks,
  type FixtureNetwork,
  type FixtureNetworks,
} from '../../../../test/fixture-networks.ts';
import { fused, plain, randomTensor } from '../../../../test/run-graph.ts';
import { releaseSharedSessions, runShared } from '../../../../test/shared-sessions.ts';
import { verifyGraph } from '../../onnx/check.ts';
import { formatDim } from '../../onnx/dims.ts';
import { printGraph, type Graph } from '../../onnx/graph.ts';
import type { DenoisingNetwork } from '../../nets/denoising-network.ts';
import { buildPassGraph } from '../../nets/pass-graph.ts';
import { noInjection as none, plainPass, predictionAlone, type Injection, type Pass } from '../../nets/pass.ts';

const size = { height: 8, width: 16 };
const both: Injection = { attention: true, features: true };

let networks: FixtureNetworks;
let sd1: FixtureNetwork;
let network: DenoisingNetwork;
beforeAll(async () => {
  networks = await openFixtureNetworks();
  sd1 = await networks.open('sd1/unet', 'unet');
  network = fixtureUNet(sd1);
});
afterAll(async () => {
  await releaseSharedSessions();
  await networks.remove();
});

const branches = ['source', 'negative', 'target'] as const;
const everything = { prediction: false, sourceTokens: true, attention: branches, correspondences: false };
/** Passes of all three branches. */
const alonePass = (injection: Injection): Pass => ({ ...plainPass, branches, injection, emits: predictionAlone });
const keyframePass = (injection: Injection): Pass => ({
  branches,
  attention: 'extended',
  correspondences: null,
  injection,
  emits: everything,
});
const propagationPass: Pass = { ...alonePass(none), attention: 'propagated', correspondences: 'searched' };

const stepFeeds = { time_features: randomTensor([1, 16], 1) };
const context = randomTensor([1, 7, 32], 2);
const tripled = (x: typeof context) => ({
  dims: [3, ...x.dims.slice(1)],
  data: Float32Array.from([...x.data, ...x.data, ...x.data]),
});

const weightsOf = (graph: Graph): readonly string[] =>
  graph.initializers.flatMap((entry) => ('stored' in entry ? [entry.value.name.split(/[:[]/)[0] ?? ''] : []));

/** The lines of a block in the printed graph, from its first node to its last. */
function printedBlock(graph: Graph, key: string): string {
  const lines = printGraph(graph).split('\n');
  const own = lines.flatMap((line, i) => (line.trim().startsWith(key) ? [i] : []));
  return lines.slice(own[0], (own.at(-1) ?? 0) + 1).join('\n');
}

describe('the plain UNet', () => {
  const run = (options: ReturnType<typeof graphOptions>, picture: typeof size, frames = 2) =>
    runShared(buildPassGraph(network, picture, plainPass, options), {
      ...stepFeeds,
      context,
      'latents.source': randomTensor([frames, 4, picture.height, picture.width], 3),
    });

  it.each([
    { height: 6, width: 10 },
    { height: 7, width: 9 },
    { height: 8, width: 16 },
  ])('runs at $height x $width, where skip connections may be a row or column short', async (picture) => {
    const { 'prediction.source': prediction } = await run(graphOptions(sd1), picture);
    expect(prediction?.dims).toEqual([2, 4, picture.height, picture.width]);
    expect(prediction?.data.every(Number.isFinite)).toBe(true);
  });

  it('gives the same numbers from fused and from plain operators', async () => {
    const once = await run(graphOptions(sd1, fused), size);
    const plainly = await run(graphOptions(sd1, plain), size);
    expect(plainly['prediction.source']?.data).toBeAllClose(once['prediction.source']?.data ?? [], {
      atol: 1e-5,
    });
  });

  it('gives every frame the same result as alone', async () => {
    const latents = randomTensor([1, 4, 8, 16], 3);
    const graph = buildPassGraph(network, size, plainPass, graphOptions(sd1));
    const alone = (await runShared(graph, { ...stepFeeds, context, 'latents.source': latents }))['prediction.source'];
    const copies = await runShared(graph, { ...stepFeeds, context, 'latents.source': tripled(latents) });
    expect(copies['prediction.source']?.data).toBeAllClose(tripled(alone ?? latents).data, { atol: 1e-5 });
  });

  it('of half-precision weights casts them inside the graph', async () => {
    const graph = buildPassGraph(network, size, plainPass, { ...graphOptions(sd1), weights: sd1.stored });
    verifyGraph(graph);
    const feeds = { ...stepFeeds, context, 'latents.source': randomTensor([1, 4, 8, 16], 3) };
    const { 'prediction.source': prediction } = await runShared(graph, feeds);
    const copied = await run(graphOptions(sd1), size, 1);
    expect(prediction?.data).toBeAllClose(copied['prediction.source']?.data ?? [], { atol: 1e-5 });
  });

  it('in half precision is close to single precision', async () => {
    const options = { ...graphOptions(sd1), weights: sd1.stored, float: 'float16' } as const;
    const feeds = { ...stepFeeds, context, 'latents.source': randomTensor([1, 4, 8, 16], 3) };
    const { 'prediction.source': prediction } = await runShared(
      buildPassGraph(network, size, plainPass, options),
      feeds,
    );
    const single = await run(graphOptions(sd1), size, 1);
    expect(prediction?.data).toBeAllClose(single['prediction.source']?.data ?? [], { atol: 5e-2 });
  });

  it('uses every byte of every weight of the checkpoint, once', () => {
    const graph = buildPassGraph(network, size, plainPass, graphOptions(sd1));
    const used = graph.initializers
      .flatMap((entry) => ('stored' in entry ? [entry.stored] : []))
      .sort((a, b) => a.byteOffset - b.byteOffset);
    const [first] = used;
    let end = first?.byteOffset ?? 0;
    for (const { byteOffset, byteLength } of used) {
      expect(byteOffset).toBe(end);
      end += byteLength;
    }
    const stored = [...sd1.weights.values()];
    expect(first?.byteOffset).toBe(Math.min(...stored.map(({ byteOffset }) => byteOffset)));
    expect(end).toBe(Math.max(...stored.map(({ byteOffset, byteLength }) => byteOffset + byteLength)));
  });

  it('reads as a residual block', () => {
    const graph = buildPassGraph(network, size, plainPass, graphOptions(sd1));
    expect(printedBlock(graph, 'down_blocks.1.resnets.0')).toMatchSnapshot();
  });

  it('reads as a transformer block', () => {
    const graph = buildPassGraph(network, size, plainPass, graphOptions(sd1));
    expect(printedBlock(graph, 'down_blocks.1.attentions.0')).toMatchSnapshot();
  });
});

describe('a missing weight', () => {
  it('is named by its key', () => {
    const weights = new Map(sd1.weights);
    weights.delete('mid_block.attentions.0.proj_in.weight');
    expect(() => buildPassGraph(network, size, plainPass, { ...graphOptions(sd1), weights })).toThrow(
      'the checkpoint has no weight named mid_block.attentions.0.proj_in.weight',
    );
  });
});

describe('the pass over frames by themselves', () => {
  const latents = randomTensor([2, 4, 8, 16], 5);

  it.each([none, { ...none, attention: true }, { ...none, features: true }, both])(
    'with %o gives all branches the source result when latents and text are equal',
    async (injection) => {
      const graph = buildPassGraph(network, size, alonePass(injection), graphOptions(sd1));
      const feeds = { ...stepFeeds, context: tripled(context), 'latents.source': latents, 'latents.edited': latents };
      const { 'prediction.negative': negative, 'prediction.target': target } = await runShared(graph, feeds);
      const plainly = await runShared(buildPassGraph(network, size, plainPass, graphOptions(sd1)), {
        ...stepFeeds,
        context,
        'latents.source': latents,
      });
      expect(target?.data).toBeAllClose(plainly['prediction.source']?.data ?? [], { atol: 1e-5 });
      expect(negative?.data).toBeAllClose(target?.data ?? [], { atol: 1e-6 });
    },
  );

  it('changes with the source only where something is injected', async () => {
    const other = randomTensor([2, 4, 8, 16], 6);
    const targetOf = async (injection: Injection, source: typeof latents) => {
      const graph = buildPassGraph(network, size, alonePass(injection), graphOptions(sd1));
      return (
        await runShared(graph, {
          ...stepFeeds,
          context: tripled(context),
          'latents.source': source,
          'latents.edited': latents,
        })
      )['prediction.target']?.data;
    };
    expect(await targetOf(none, other)).toBeAllClose((await targetOf(none, latents)) ?? [], { atol: 1e-6 });
    for (const injection of [
      { ...none, attention: true },
      { ...none, features: true },
    ]) {
      const injected = await targetOf(injection, other);
      expect(injected).not.toBeAllClose((await targetOf(injection, latents)) ?? [], { atol: 1e-3 });
    }
  });
});

describe('injection of queries and keys', () => {
  /** Blocks whose projection is made of all three branches, and of the source's alone. */
  function projections(injection: Injection, name: string) {
    const graph = buildPassGraph(network, size, keyframePass(injection), graphOptions(sd1));
    const made = graph.nodes.filter(({ name: node }) => node.includes(`.attn1.${name}/Gemm`));
    const isWhole = (rows: string) => Number(rows.split('*')[0]) % 3 === 0;
    const keys = (whole: boolean) =>
      made
        .filter(({ outputs }) => isWhole(formatDim(outputs[0]?.dims[0] ?? 0)) === whole)
        .map(({ name: node }) => node.split('.transformer_blocks')[0] ?? '');
    return { whole: keys(true), sourceOnly: keys(false) };
  }

  it.each(['to_q', 'to_k'])('makes %s of layers 4 to 11 of the decoder once, for all branches', (name) => {
    expect(projections({ ...none, attention: true }, name).sourceOnly).toEqual([
      'up_blocks.1.attentions.1',
      'up_blocks.1.attentions.2',
      'up_blocks.2.attentions.0',
      'up_blocks.2.attentions.1',
      'up_blocks.2.attentions.2',
      'up_blocks.3.attentions.0',
      'up_blocks.3.attentions.1',
      // Nothing follows the last block, but its tokens are needed.
      'up_blocks.3.attentions.2',
    ]);
  });

  it('leaves the values to each branch, and everything where it is off', () => {
    expect(projections(both, 'to_v').sourceOnly).toEqual([]);
    expect(projections({ ...none, features: true }, 'to_q').sourceOnly).toEqual([]);
  });

  it('of features shares the second convolution of one residual block', () => {
    const graph = buildPassGraph(network, size, keyframePass({ ...none, features: true }), graphOptions(sd1));
    const shared = graph.nodes.filter(
      ({ op, outputs }) => op === 'Conv' && formatDim(outputs[0]?.dims[0] ?? 0) === 'frames',
    );
    expect(shared.map(({ name }) => name)).toEqual(['up_blocks.1.resnets.1.conv2/Conv']);
  });
});

describe('the keyframe pass', () => {
  it('ends with the self-attention of the last block', () => {
    const graph = buildPassGraph(network, size, keyframePass(both), graphOptions(sd1));
    verifyGraph(graph);
    const weights = weightsOf(graph);
    const last = 'up_blocks.3.attentions.2.transformer_blocks.0';
    expect(weights).toContain(`${last}.attn1.to_out.0.weight`);
    for (const later of [
      `${last}.attn2.to_q.weight`,
      `${last}.norm2.weight`,
      'conv_norm_out.weight',
      'conv_out.weight',
    ]) {
      expect(weights).not.toContain(later);
    }
  });

  it('returns tokens of all 16 blocks, which the propagation pass takes', () => {
    const outputs = buildPassGraph(network, size, keyframePass(none), graphOptions(sd1)).outputs;
    const propagation = buildPassGraph(network, size, propagationPass, graphOptions(sd1));
    verifyGraph(propagation);
    expect(outputs).toHaveLength(2 * 16);
    const taken = propagation.inputs.map(({ name }) => name);
    for (const { name } of outputs) expect(taken).toContain(name.replace('_out', ''));
    expect(weightsOf(propagation).filter((key) => key.includes('.attn1.'))).toEqual([]);
  });

  it('of one keyframe gives the edit branches what they have alone', async () => {
    const latents = randomTensor([1, 4, 8, 16], 5);
    const feeds = { ...stepFeeds, context: tripled(context), 'latents.source': latents, 'latents.edited': latents };
    const tokens = await runShared(buildPassGraph(network, size, keyframePass(none), graphOptions(sd1)), feeds);
    for (let block = 0; block < 16; block++) {
      const all = tokens[`attention_out.${block}`]?.data ?? new Float32Array();
      const third = all.length / 3;
      expect(all.subarray(third, 2 * third)).toBeAllClose(all.subarray(0, third), { atol: 1e-5 });
      expect(all.subarray(2 * third)).toBeAllClose(all.subarray(0, third), { atol: 1e-5 });
    }
  });
});
