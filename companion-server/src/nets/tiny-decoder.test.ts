// How a tiny decoder is told by the names of its weights. test/golden compares what it computes.

import { describe, expect, it } from 'vitest';
import { fixtureTinyDecoder } from '../../../test/fixture-networks.ts';
import { fused, plain, randomTensor, runGraph } from '../../../test/run-graph.ts';
import { verifyGraph } from '../onnx/check.ts';
import type { StoredTensors } from '../tensor/stored-tensor.ts';
import { buildTinyDecoder, tinyDecoderLayout } from './tiny-decoder.ts';

const original = await fixtureTinyDecoder('taesd_decoder.safetensors');
const diffusers = await fixtureTinyDecoder('diffusion_pytorch_model.safetensors');

const size = { height: 2, width: 3 };
function build(weights: StoredTensors, operators = fused) {
  const layout = tinyDecoderLayout(weights);
  if (layout === null) throw new TypeError('There is no decoder.');
  return buildTinyDecoder(layout, size, { name: 'tiny', weights, float: 'float32', fused: operators });
}

/** As it is in TAESD: four levels with three, three, three blocks and one. */
const chain = ['4', '', '', '', '2', '', '', '', '2', '', '', '', '2', '', '3'];

describe('a tiny decoder', () => {
  it.each([
    ['the original code', original],
    ['diffusers, where the encoder is in the same file', diffusers],
  ])('is told by the names of %s', (_, tensors) => {
    const layout = tinyDecoderLayout(tensors);
    expect(layout).toMatchObject({ latentChannels: 4, downscale: 8 });
    const kinds = layout?.layers.map((layer) =>
      layer.kind === 'block' ? '' : layer.doubles ? '2' : layer.channels === 3 ? '3' : '4',
    );
    expect(kinds).toEqual(chain);
  });

  it('is in no file of its encoder, nor of something else', () => {
    const encoder = new Map(
      [...diffusers].flatMap(([key, stored]) =>
        key.startsWith('encoder.layers.') ? [[key.replace('encoder.layers.', ''), stored]] : [],
      ),
    );
    expect(encoder.size).toBeGreaterThan(20);
    expect(tinyDecoderLayout(encoder)).toBeNull();
    expect(tinyDecoderLayout(new Map())).toBeNull();
    expect(tinyDecoderLayout(new Map([['decoder.conv_in.weight', { dims: [512, 4, 3, 3] }]]))).toBeNull();
  });

  it('makes eight pixels along a side of each latent', async () => {
    const graph = build(original);
    verifyGraph(graph);
    const { image } = await runGraph(graph, { latents: randomTensor([2, 4, 2, 3]) });
    expect(image?.dims).toEqual([2, 3, 16, 24]);
  });

  it('gives the same numbers from fused and from plain operators', async () => {
    const latents = randomTensor([1, 4, 2, 3]);
    const [once, plainly] = [
      await runGraph(build(original), { latents }),
      await runGraph(build(original, plain), { latents }),
    ];
    expect(plainly['image']?.data).toBeAllClose(once['image']?.data ?? [], { atol: 1e-4 });
  });

  it('is not built of weights of which one is missing', () => {
    const without = new Map([...original].filter(([key]) => key !== '3.conv.2.bias'));
    expect(() => build(without)).toThrow('the checkpoint has no weight named 3.conv.2.bias');
  });
});
