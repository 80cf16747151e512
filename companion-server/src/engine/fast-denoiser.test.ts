// The graphs of the fast schedule leave out what they need not compute: what is left is held against the graphs that
// compute everything.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeFastDenoiser } from '../../../test/describe-fast-denoiser.ts';
import { graphOptions, openFixtureNetworks, type FixtureNetworks } from '../../../test/fixture-networks.ts';
import { fused, plain, randomTensor } from '../../../test/run-graph.ts';
import { createSharedSession, releaseSharedSessions } from '../../../test/shared-sessions.ts';
import { tokensPerBlock } from '../nets/record-shape.ts';
import { parseUNetConfig } from '../nets/unet-config.ts';
import type { LatentSize } from '../nets/unet-graphs.ts';
import type { FusedOperators } from '../onnx/builder.ts';
import { sliceRows, type Tensor } from '../tensor/tensor.ts';
import type { Injection, StepInput } from '../tokenflow/denoiser.ts';
import { planPropagation } from '../tokenflow/propagation.ts';
import { FastUNetDenoiser } from './fast-denoiser.ts';

let networks: FixtureNetworks;
beforeAll(async () => {
  networks = await openFixtureNetworks();
});
afterAll(async () => {
  await releaseSharedSessions();
  await networks.remove();
});

async function open(
  family: 'sd1' | 'sd2',
  size: LatentSize,
  operators: FusedOperators = fused,
): Promise<FastUNetDenoiser> {
  const network = await networks.open(`${family}/unet`, 'unet');
  return new FastUNetDenoiser({
    config: parseUNetConfig(network.config),
    size,
    graph: graphOptions(network, operators),
    createSession: (make) => createSharedSession(make(), { provider: 'cpu' }),
  });
}

describe.each([
  ['sd1', { height: 8, width: 16 }, [5, 32]],
  ['sd2', { height: 7, width: 9 }, [5, 40]],
] as const)('a network like %s', (family, size, contextDims) => {
  describeFastDenoiser(family, async () => {
    const denoiser = await open(family, size);
    const latentDims = [4, size.height, size.width];
    return { denoiser, latentDims, contextDims, release: () => denoiser.release() };
  });

  it('has as many tokens in each block as are planned for', async () => {
    const denoiser = await open(family, size);
    const { config } = await networks.open(`${family}/unet`, 'unet');
    const latents = randomTensor([1, 4, size.height, size.width], 1);
    const { tokens } = await denoiser.recordKeyframes(latents, 1, randomTensor([1, ...contextDims], 2));
    expect(tokens.map(({ dims }) => dims[1])).toEqual(tokensPerBlock(parseUNetConfig(config), size));
    await denoiser.release();
  });
});

const injections: readonly (readonly [string, Injection])[] = [
  ['nothing', { attention: false, features: false }],
  ['attention', { attention: true, features: false }],
  ['features', { attention: false, features: true }],
  ['both', { attention: true, features: true }],
];

describe.each([
  ['fused', fused, injections],
  // Slow to load: the two that differ.
  ['plain', plain, injections.slice(1, 3)],
] as const)('the joint pass of %s operators', (name, operators, tried) => {
  const size = { height: 8, width: 16 };
  const close = { atol: 2e-5 };
  let denoiser: FastUNetDenoiser;
  beforeAll(async () => {
    denoiser = await open('sd1', size, operators);
  });
  afterAll(() => denoiser.release());

  const latents = (seed: number): Tensor => randomTensor([3, 4, size.height, size.width], seed);
  const text = (seed: number): Tensor => randomTensor([1, 5, 32], seed);
  const inputWith = (injection: Injection): StepInput => ({
    source: latents(1),
    edited: latents(2),
    timestep: 501,
    injection,
    contexts: { source: text(3), negative: text(4), target: text(5) },
  });
  const jointly = (input: StepInput) => {
    const { attention, features } = input.injection;
    const source = attention || features ? input.source : null;
    return denoiser.editJointly({ ...input, source, guided: true });
  };

  it.each(tried)('with %s injected has the tokens of the three-branch pass', async (_name, injection) => {
    const input = inputWith(injection);
    const { blocks } = await denoiser.editKeyframes([0, 1, 2], input);
    const { tokens } = await jointly(input);
    expect(tokens).toHaveLength(blocks.length);
    for (const [i, { attention }] of blocks.entries()) {
      expect(tokens[i]?.data, `block ${i}`).toBeAllClose(sliceRows(attention, 1, 3).data, close);
    }
  });

  it.each(tried)(
    'with %s injected predicts what its tokens propagated to themselves give',
    async (_name, injection) => {
      const input = inputWith(injection);
      const tokens = await denoiser.editKeyframes([0, 1, 2], input);
      const alone = [0, 1, 2].map((keyframe) => ({ left: keyframe, right: keyframe, rightWeight: 0 }));
      const expected = await denoiser.propagate(input, tokens, planPropagation(alone, [0, 1, 2]));
      const { prediction } = await jointly(input);
      expect(prediction.target.data).toBeAllClose(expected.target.data, close);
      expect(prediction.negative?.data).toBeAllClose(expected.negative.data, close);
    },
  );

  it.runIf(name === 'fused')('counts a forward for each branch that it has', async () => {
    const counts = [];
    for (const [, injection] of injections) {
      for (const guided of [false, true]) {
        const before = denoiser.evaluations;
        const input = inputWith(injection);
        const source = injection.attention || injection.features ? input.source : null;
        await denoiser.editJointly({ ...input, source, guided });
        counts.push((denoiser.evaluations - before) / 3);
      }
    }
    expect(counts).toEqual([1, 2, 2, 3, 2, 3, 2, 3]);
  });
});
