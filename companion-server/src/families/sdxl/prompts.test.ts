// Two encoders, one after the other, and what an empty prompt becomes. Numbers are compared with diffusers in test/golden.

import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import type { IndexTensor } from '../../onnx/session.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { TextNetwork } from '../family.ts';
import { openCheckpoint, type FamilyCheckpoint } from '../open-checkpoint.ts';
import { sdxl } from './family.ts';

const size = { width: 96, height: 64 };

let checkpoint: FamilyCheckpoint;
beforeAll(async () => {
  checkpoint = await openCheckpoint(path.join(goldenDir, 'sdxl'));
});

/** The first encoder returns ones of width 12, the second twos of width 20 and threes as the pooled embedding. */
function noting() {
  const asked: TextNetwork[] = [];
  const run = (network: TextNetwork) => {
    asked.push(network);
    const prompts = network.feeds['input_ids']?.dims[0] ?? 0;
    const filled = (dims: readonly number[], value: number) => ({ dims, data: tensor(dims).data.fill(value) });
    return Promise.resolve(
      network.name === 'text_encoder'
        ? { penultimate_hidden_state: filled([prompts, 16, 12], 1) }
        : { penultimate_hidden_state: filled([prompts, 16, 20], 2), text_embeds: filled([prompts, 10], 3) },
    );
  };
  return { asked, run };
}

const idsOf = (network: TextNetwork | undefined): readonly number[] => [
  ...(network?.feeds['input_ids'] as IndexTensor).data,
];

it('is recognised by its pipeline and its two text encoders', () => {
  expect(checkpoint.family).toBe(sdxl);
  expect([...checkpoint.parts.keys()]).toEqual(['unet', 'vae', 'text_encoder', 'text_encoder_2']);
});

describe('a prompt', () => {
  it("is the tokens of both encoders side by side, and the second one's embedding", async () => {
    const { run, asked } = noting();
    const { createConditioner } = sdxl.outline(checkpoint);
    const [told] = await createConditioner().conditioning(['a wolf'], size, run);
    expect(asked.map(({ name }) => name)).toEqual(['text_encoder', 'text_encoder_2']);
    expect(told?.tokens.dims).toEqual([1, 16, 32]);
    expect([...(told?.tokens.data.subarray(0, 32) ?? [])]).toEqual([
      ...new Float32Array(12).fill(1),
      ...new Float32Array(20).fill(2),
    ]);
    expect(told?.pooled?.data).toEqual(new Float32Array(10).fill(3));
    expect([...(told?.timeIds?.data ?? [])]).toEqual([64, 96, 0, 0, 64, 96]);
  });

  it('is padded with the end mark by the first tokenizer and with "!" by the second', async () => {
    const { run, asked } = noting();
    await sdxl.outline(checkpoint).createConditioner().conditioning(['a wolf'], size, run);
    const [first, second] = asked.map(idsOf);
    const end = first?.[3];
    expect(first?.slice(0, 4)).toEqual(second?.slice(0, 4));
    expect(first?.slice(3)).toEqual(Array(13).fill(end));
    expect(second?.slice(4)).toEqual(Array(12).fill(0));
  });

  it('is embedded where it ends, the first time that its end mark is there', async () => {
    const { run, asked } = noting();
    const long = 'a shiny silver robotic wolf '.repeat(5);
    await sdxl.outline(checkpoint).createConditioner().conditioning(['a wolf', '', long], size, run);
    const ends = asked[1]?.feeds['end_rows'] as IndexTensor;
    expect([...ends.data]).toEqual([3, 16 + 1, 2 * 16 + 15]);
    expect(asked[0]?.feeds['end_rows']).toBeUndefined();
  });

  it('that is empty is nothing at all, in tokens and in the pooled embedding', async () => {
    const [told] = await conditionEmpty({});
    expect(told?.tokens.data).toEqual(new Float32Array(16 * 32));
    expect(told?.pooled?.data).toEqual(new Float32Array(10));
    expect(told?.timeIds?.data[0]).toBe(64);
  });

  it('that is empty is encoded like others where the checkpoint says so', async () => {
    const [told] = await conditionEmpty({ force_zeros_for_empty_prompt: false });
    expect(told?.tokens.data[0]).toBe(1);
    expect(told?.pooled?.data[0]).toBe(3);
  });

  it('that is too long tells its end', () => {
    const conditioner = sdxl.outline(checkpoint).createConditioner();
    expect(conditioner.overflowOf('a wolf')).toBeNull();
    expect(conditioner.overflowOf('a shiny silver robotic wolf '.repeat(5))).toContain('silver robotic wolf');
  });
});

function conditionEmpty(index: object) {
  const modelIndex = { ...checkpoint.modelIndex, ...index };
  const { createConditioner } = sdxl.outline({ ...checkpoint, modelIndex });
  return createConditioner().conditioning([' '], size, noting().run);
}

describe('a checkpoint is refused', () => {
  /** The checkpoint with other files of its second tokenizer. */
  const withTokenizer = (change: object) => {
    const files = checkpoint.tokenizers.get('tokenizer_2') ?? {};
    const config = JSON.parse(files['tokenizer_config.json'] ?? '{}') as object;
    const changed = { ...files, 'tokenizer_config.json': JSON.stringify({ ...config, ...change }) };
    return { ...checkpoint, tokenizers: new Map([...checkpoint.tokenizers, ['tokenizer_2', changed]]) };
  };

  it('when its tokenizers make different numbers of tokens', () => {
    const { createConditioner } = sdxl.outline(withTokenizer({ model_max_length: 12 }));
    expect(createConditioner).toThrow('the tokenizers make 16 and 12 tokens of a prompt');
  });

  const faultWith = (part: string, change: object) => () => {
    const component = checkpoint.parts.get(part);
    if (component === undefined) throw new TypeError(part);
    const config = { ...component.config, ...change };
    return sdxl.outline({ ...checkpoint, parts: new Map([...checkpoint.parts, [part, { ...component, config }]]) });
  };

  it('when its parts do not fit', () => {
    expect(faultWith('unet', { cross_attention_dim: 20 })).toThrow(
      'the UNet reads text of width 20, the text encoders write 32',
    );
    expect(faultWith('vae', { latent_channels: 8 })).toThrow('the UNet works on 4 latent channels, the VAE on 8');
  });

  it('when it is told other numbers about the picture, as the refiner is', () => {
    expect(faultWith('unet', { projection_class_embeddings_input_dim: 50 })).toThrow(
      "the UNet reads 50 added features; a prompt's embedding and 6 numbers about the picture are 58",
    );
  });
});
