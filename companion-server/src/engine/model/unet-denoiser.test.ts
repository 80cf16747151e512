// The passes leave out what they need not compute: what is left is held against passes that compute everything.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDenoiser, passesOf } from '../../../../test/describe-denoiser.ts';
import {
  fixtureUNet,
  graphOptions,
  openFixtureNetworks,
  type FixtureNetwork,
  type FixtureNetworks,
} from '../../../../test/fixture-networks.ts';
import { fused, plain, randomTensor } from '../../../../test/run-graph.ts';
import { createSharedSession, releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import type { LatentSize } from '../../nets/denoising-network.ts';
import type { Injection } from '../../nets/pass.ts';
import type { FusedOperators } from '../../onnx/builder.ts';
import { sliceRows, tensor, type Tensor } from '../../tensor/tensor.ts';
import { predictionOf, type PassInputs } from '../../tokenflow/denoiser.ts';
import { keyframeInversionPass, samplingPasses } from '../../tokenflow/step-passes.ts';
import { UNetDenoiser } from './unet-denoiser.ts';

let networks: FixtureNetworks;
beforeAll(async () => {
  networks = await openFixtureNetworks();
});
afterAll(async () => {
  await releaseSharedSessions();
  await networks.remove();
});

type Family = 'sd1' | 'sd2' | 'sdxl' | 'sdxl-pruned';

/** Of the network whose layers have depths of their own, all of it; of the others a part. */
function networkOf(family: Family): Promise<FixtureNetwork> {
  return family === 'sdxl-pruned' ? networks.open('sdxl-pruned/unet', 'unet') : networks.openSmallUNet(family);
}

async function open(
  family: Family,
  size: LatentSize,
  operators: FusedOperators = fused,
  keepsBatch = false,
): Promise<UNetDenoiser> {
  const network = await networkOf(family);
  return new UNetDenoiser({
    network: fixtureUNet(network),
    size,
    graph: graphOptions(network, operators),
    createSession: (make) => createSharedSession(make(), { provider: 'cpu' }),
    keepsBatch,
  });
}

/** A pooled embedding and numbers about the picture, as Stable Diffusion XL is told them. */
const pooledAndIds = (seed: number) => ({
  pooled: randomTensor([1, 10], seed + 100),
  timeIds: tensor([1, 6], Float32Array.of(64, 96, 0, seed, 64, 96)),
});

describe.each([
  ['sd1', { height: 8, width: 16 }, [5, 32], () => ({})],
  ['sd2', { height: 7, width: 9 }, [5, 40], () => ({})],
  ['sdxl', { height: 8, width: 12 }, [5, 32], pooledAndIds],
  ['sdxl-pruned', { height: 7, width: 9 }, [5, 32], pooledAndIds],
] as const)('a network like %s', (family, size, tokenDims, toldBeside) => {
  const latentDims = [4, size.height, size.width];

  describeDenoiser(family, async () => {
    const denoiser = await open(family, size);
    return { denoiser, latentDims, tokenDims, toldBeside, release: () => denoiser.release() };
  });

  it('has as many tokens in each block as are planned for', async () => {
    const denoiser = await open(family, size);
    const network = fixtureUNet(await networkOf(family));
    const source = randomTensor([1, ...latentDims], 1);
    const conditioning = { source: { tokens: randomTensor([1, ...tokenDims], 2), ...toldBeside(2) } };
    const { tokens } = await denoiser.run(keyframeInversionPass, { latents: { source }, timestep: 1, conditioning });
    expect(tokens.source.map(({ dims }) => dims[1])).toEqual(network.tokensPerBlock(size));
    await denoiser.release();
  });
});

// What is padded does not depend on the network, so one of them is enough.
describeDenoiser('sd1 that keeps its batches at one size', async () => {
  const size = { height: 8, width: 16 };
  const denoiser = await open('sd1', size, fused, true);
  return {
    denoiser,
    latentDims: [4, size.height, size.width],
    tokenDims: [5, 32],
    release: () => denoiser.release(),
  };
});

const injections: readonly (readonly [string, Injection])[] = [
  ['nothing', { attention: false, features: false }],
  ['attention', { attention: true, features: false }],
  ['features', { attention: false, features: true }],
  ['both', { attention: true, features: true }],
];

describe.each([
  ['sd1', 'fused', fused, injections, () => ({})],
  // Slow to load: the two that differ.
  ['sd1', 'plain', plain, injections.slice(1, 3), () => ({})],
  ['sdxl', 'fused', fused, injections, pooledAndIds],
] as const)('the pass over keyframes of %s, %s operators', (family, name, operators, tried, toldBeside) => {
  const size = { height: 8, width: 16 };
  const close = { atol: 2e-5 };
  let denoiser: UNetDenoiser;
  beforeAll(async () => {
    denoiser = await open(family, size, operators);
  });
  afterAll(() => denoiser.release());

  const latents = (seed: number): Tensor => randomTensor([3, 4, size.height, size.width], seed);
  const text = (seed: number): Conditioning => ({ tokens: randomTensor([1, 5, 32], seed), ...toldBeside(seed) });
  const input: PassInputs = {
    latents: { source: latents(1), edited: latents(2) },
    timestep: 501,
    conditioning: { source: text(3), negative: text(4), target: text(5) },
  };

  it.each(tried)('of a cached source with %s injected has the tokens of a recomputed one', async (_name, injection) => {
    const cached = await denoiser.run(passesOf({ sourceMode: 'cached', injection }).keyframes, input);
    const recomputed = await denoiser.run(passesOf({ sourceMode: 'recomputed', injection }).keyframes, input);
    expect(cached.tokens.attention).toHaveLength(recomputed.tokens.attention.length);
    for (const [i, { data }] of recomputed.tokens.attention.entries()) {
      const { dims } = recomputed.tokens.attention[i] ?? { dims: [] };
      expect(cached.tokens.attention[i]?.data, `block ${i}`).toBeAllClose(sliceRows({ dims, data }, 1, 3).data, close);
    }
  });

  it.each(tried)(
    'with %s injected predicts what its tokens propagated to themselves give',
    async (_name, injection) => {
      const { keyframes, frames } = passesOf({ sourceMode: 'recomputed', injection });
      const { tokens } = await denoiser.run(keyframes, input);
      const pairs = [0, 1, 2].map((keyframe) => ({ left: keyframe, right: keyframe }));
      const expected = await denoiser.run(frames, { ...input, keyframes: tokens, pairs, rightWeight: [0, 0, 0] });
      const cached = await denoiser.run(passesOf({ sourceMode: 'cached', injection }).keyframes, input);
      for (const branch of ['negative', 'target'] as const) {
        expect(predictionOf(cached, branch).data).toBeAllClose(predictionOf(expected, branch).data, close);
      }
    },
  );

  it.runIf(name === 'fused')('counts an evaluation of every frame for each branch that it has', async () => {
    const counts = [];
    for (const [, injection] of injections) {
      for (const guided of [false, true]) {
        const before = denoiser.evaluations;
        await denoiser.run(passesOf({ sourceMode: 'cached', injection, guided }).keyframes, input);
        counts.push((denoiser.evaluations - before) / 3);
      }
    }
    expect(counts).toEqual([1, 2, 2, 3, 2, 3, 2, 3]);
  });

  it.runIf(name === 'fused')('names the input that a pass lacks', async () => {
    const { frames } = samplingPasses({
      sourceMode: 'cached',
      guided: false,
      frameGuidance: 'own',
      injection: { attention: false, features: false },
    });
    await expect(denoiser.run(frames, input)).rejects.toThrow('lacks the tokens of keyframes');
    const { source } = input.latents;
    const withoutEdit = { ...input, latents: source === undefined ? {} : { source } };
    const { keyframes } = passesOf({ sourceMode: 'cached' });
    await expect(denoiser.run(keyframes, withoutEdit)).rejects.toThrow('lacks the latents of the edit');
  });
});
