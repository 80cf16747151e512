import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  fixtureText,
  fixtureVae,
  graphOptions,
  openFixtureNetworks,
  type FixtureNetwork,
  type FixtureNetworks,
} from '../../../test/fixture-networks.ts';
import { fused, indexTensor, plain, randomTensor, runGraph } from '../../../test/run-graph.ts';
import { verifyGraph } from '../onnx/check.ts';
import { buildClipText } from './clip-text-encoder.ts';
import { buildVaeDecoder, buildVaeEncoder } from './vae.ts';

let networks: FixtureNetworks;
let vae: FixtureNetwork;
beforeAll(async () => {
  networks = await openFixtureNetworks();
  vae = await networks.open('sd1/vae', 'vae');
});
afterAll(() => networks.remove());

describe('the VAE', () => {
  const size = { height: 3, width: 5 };

  it('halves the picture between its levels', async () => {
    const graph = buildVaeEncoder(fixtureVae(vae), size, graphOptions(vae));
    verifyGraph(graph);
    const { mean, logvar } = await runGraph(graph, { image: randomTensor([2, 3, 12, 20]) });
    expect(mean?.dims).toEqual([2, 4, 3, 5]);
    expect(logvar?.dims).toEqual([2, 4, 3, 5]);
    expect(logvar?.data.every((value) => value >= -30 && value <= 20)).toBe(true);
  });

  it('doubles the latents between its levels', async () => {
    const graph = buildVaeDecoder(fixtureVae(vae), size, graphOptions(vae));
    verifyGraph(graph);
    const { image } = await runGraph(graph, { latents: randomTensor([2, 4, 3, 5]) });
    expect(image?.dims).toEqual([2, 3, 12, 20]);
  });

  it('gives the same numbers from fused and from plain operators', async () => {
    const feeds = { latents: randomTensor([1, 4, 3, 5]) };
    const decode = (operators: typeof fused) =>
      runGraph(buildVaeDecoder(fixtureVae(vae), size, graphOptions(vae, operators)), feeds);
    const [once, plainly] = [await decode(fused), await decode(plain)];
    expect(plainly['image']?.data).toBeAllClose(once['image']?.data ?? [], { atol: 1e-4 });
  });

  it('without convolutions around its latents does without their weights', () => {
    const config = { ...fixtureVae(vae), hasQuantConv: false, hasPostQuantConv: false };
    for (const build of [buildVaeEncoder, buildVaeDecoder]) {
      const names = build(config, size, graphOptions(vae)).initializers.map((entry) => entry.value.name);
      expect(names.filter((name) => name.includes('quant_conv'))).toEqual([]);
    }
  });
});

describe('the text encoder', () => {
  it('lets a token see those before it, not those after it', async () => {
    const network = await networks.open('clip/text_encoder_gelu', 'text_encoder');
    const config = { ...fixtureText(network), length: 6 };
    const graph = buildClipText(config, graphOptions(network));
    verifyGraph(graph);
    const prompts = indexTensor([2, 6], [0, 10, 20, 30, 40, 599, 0, 10, 20, 31, 41, 599]);
    const { last_hidden_state: result } = await runGraph(graph, { input_ids: prompts });
    expect(result?.dims).toEqual([2, 6, 64]);
    const token = (prompt: number, index: number) =>
      result?.data.subarray((prompt * 6 + index) * 64, (prompt * 6 + index + 1) * 64) ?? [];
    for (const index of [0, 1, 2]) {
      expect(token(1, index)).toBeAllClose(token(0, index), { atol: 1e-6 });
    }
    for (const index of [3, 4, 5]) {
      expect(token(1, index)).not.toBeAllClose(token(0, index), { atol: 1e-3 });
    }
  });
});
