import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLora } from './lora-file.ts';
import { leftOverNotice, matchLora } from './match-lora.ts';
import { adapterNames } from './module-names.ts';
import { matchUNet, sourceIn, writeTensors, type Shapes } from './testing/made-lora.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'match-lora-'));
});
afterEach(() => rm(dir, { recursive: true }));

const block = 'down_blocks.0.attentions.0.transformer_blocks.0';
const underscored = block.replaceAll('.', '_');

/** A UNet that reads text of this width. */
const unetOf = async (textWidth: number) =>
  sourceIn(
    await writeTensors(dir, `unet-${textWidth}.safetensors`, {
      'down_blocks.0.resnets.0.conv1.weight': [4, 4, 3, 3],
      [`${block}.attn1.to_q.weight`]: [4, 4],
      [`${block}.attn1.to_out.0.weight`]: [4, 4],
      [`${block}.attn2.to_k.weight`]: [4, textWidth],
    }),
  );

const pair = (name: string, rows: number, columns: number): Shapes => ({
  [`${name}.lora_down.weight`]: [2, columns],
  [`${name}.lora_up.weight`]: [rows, 2],
});

async function match(shapes: Shapes, textWidth = 768, metadata: Readonly<Record<string, string>> = {}) {
  const file = await writeTensors(dir, 'look.safetensors', shapes, { metadata });
  return matchUNet({ name: 'look', file, strength: 1 }, await unetOf(textWidth));
}

describe('a LoRA', () => {
  it.each([
    [
      'kohya',
      {
        [`lora_unet_${underscored}_attn1_to_q.lora_down.weight`]: [2, 4],
        [`lora_unet_${underscored}_attn1_to_q.lora_up.weight`]: [4, 2],
      },
    ],
    [
      'kohya with LDM names',
      {
        'lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_down.weight': [2, 4],
        'lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_up.weight': [4, 2],
      },
    ],
    [
      'diffusers',
      { [`unet.${block}.attn1.to_q.lora_A.weight`]: [2, 4], [`unet.${block}.attn1.to_q.lora_B.weight`]: [4, 2] },
    ],
    [
      'diffusers with linear layers',
      { [`unet.${block}.attn1.to_q.lora.down.weight`]: [2, 4], [`unet.${block}.attn1.to_q.lora.up.weight`]: [4, 2] },
    ],
    [
      'diffusers of 2023',
      {
        [`unet.${block}.attn1.processor.to_q_lora.down.weight`]: [2, 4],
        [`unet.${block}.attn1.processor.to_q_lora.up.weight`]: [4, 2],
      },
    ],
    [
      'diffusers before it knew text encoders',
      {
        [`${block}.attn1.processor.to_q_lora.down.weight`]: [2, 4],
        [`${block}.attn1.processor.to_q_lora.up.weight`]: [4, 2],
      },
    ],
    [
      'PEFT',
      {
        [`base_model.model.${block}.attn1.to_q.lora_A.weight`]: [2, 4],
        [`base_model.model.${block}.attn1.to_q.lora_B.weight`]: [4, 2],
      },
    ],
    [
      'PEFT with the name of the adapter',
      {
        [`base_model.model.${block}.attn1.to_q.lora_A.default.weight`]: [2, 4],
        [`base_model.model.${block}.attn1.to_q.lora_B.default.weight`]: [4, 2],
      },
    ],
    [
      'LyCORIS',
      {
        [`lycoris_${underscored}_attn1_to_q.hada_w1_a`]: [4, 2],
        [`lycoris_${underscored}_attn1_to_q.hada_w1_b`]: [2, 4],
        [`lycoris_${underscored}_attn1_to_q.hada_w2_a`]: [4, 2],
        [`lycoris_${underscored}_attn1_to_q.hada_w2_b`]: [2, 4],
      },
    ],
  ] satisfies [string, Shapes][])('in the names of %s changes the weight that is meant', async (_writer, shapes) => {
    const { changes, leftOver } = await match(shapes);
    expect(changes.map(({ part, key }) => [part, key])).toEqual([['unet', `${block}.attn1.to_q.weight`]]);
    expect(leftOver).toEqual([]);
  });

  it.each(['attn1_to_out_0', 'attn1_to_out'])('may call the output %s', async (name) => {
    const { changes } = await match(pair(`lora_unet_${underscored}_${name}`, 4, 4));
    expect(changes.map(({ key }) => key)).toEqual([`${block}.attn1.to_out.0.weight`]);
  });

  it.each([
    ['lora_te_', 'text_encoder'],
    ['lora_te1_', 'text_encoder'],
    ['lora_te2_', 'text_encoder_2'],
  ])('with the prefix %s changes the part %s', async (prefix, part) => {
    const layer = 'text_model.encoder.layers.0.self_attn.q_proj';
    const file = await writeTensors(dir, 'text.safetensors', pair(`${prefix}${layer.replaceAll('.', '_')}`, 4, 4));
    const { tensors } = await sourceIn(await writeTensors(dir, 'encoder.safetensors', { [`${layer}.weight`]: [4, 4] }));
    const parts = new Map([
      ['text_encoder', tensors],
      ['text_encoder_2', tensors],
    ]);
    const names = adapterNames(new Map([...parts].map(([folder, all]) => [folder, all.keys()])));
    const { changes } = matchLora(await openLora({ name: 'text', file, strength: 1 }), parts, names);
    expect(changes.map((change) => change.part)).toEqual([part]);
  });

  it('counts and names the keys that fit nothing', async () => {
    const matched = await match({
      ...pair(`lora_unet_${underscored}_attn1_to_q`, 4, 4),
      ...pair('lora_unet_up_blocks_9_attentions_0_proj_in', 4, 4),
      'lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight': [2, 4, 3, 3],
      'a.b.c': [1],
    });
    expect(matched.changes).toHaveLength(1);
    expect(leftOverNotice(matched)).toMatch(
      /^The LoRA "look": 4 of its 6 keys fit nothing in this model and were not used: ".+", ".+", ".+" and 1 more\.$/,
    );
    expect(matched.leftOver).toContain('lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight');
  });

  it('that fits nothing is refused', async () => {
    await expect(match(pair('lora_unet_something_else', 4, 4))).rejects.toMatchObject({
      code: 'adapter-unsupported',
      message:
        'The LoRA "look" fits nothing in this model; its first key is "lora_unet_something_else.lora_down.weight". This model is Stable Diffusion 1.x.',
    });
  });

  it.each([
    [2048, 'Stable Diffusion XL'],
    [1024, 'Stable Diffusion 2.x'],
  ])(
    'that reads text of width %i is refused by a model of Stable Diffusion 1.x as one for %s',
    async (width, family) => {
      const shapes = {
        ...pair(`lora_unet_${underscored}_attn1_to_q`, 4, 4),
        ...pair(`lora_unet_${underscored}_attn2_to_k`, 4, width),
      };
      await expect(match(shapes)).rejects.toMatchObject({
        code: 'adapter-unsupported',
        message: `The LoRA "look" is for another kind of model. It is for ${family}. This model is Stable Diffusion 1.x.`,
      });
    },
  );

  it('for Flux is refused by that name', async () => {
    const shapes = pair('transformer.single_transformer_blocks.0.attn.to_q', 4, 4);
    await expect(match(shapes)).rejects.toThrow('It is for Flux. This model is Stable Diffusion 1.x.');
  });

  it('whose shapes are others is refused with the place', async () => {
    await expect(match(pair(`lora_unet_${underscored}_attn1_to_q`, 8, 4))).rejects.toMatchObject({
      code: 'adapter-unsupported',
      message: `The LoRA "look" does not fit: its "lora_unet_${underscored}_attn1_to_q" changes 8 x 4 values, the model has [4, 4] there. This model is Stable Diffusion 1.x.`,
    });
  });

  it('that is none is refused with what its keys are', async () => {
    await expect(match({ 'model.diffusion_model.out.2.bias': [4] })).rejects.toMatchObject({
      code: 'adapter-unsupported',
      message: 'The LoRA "look" is no LoRA of a known kind: its 1 keys begin with "model.diffusion_model.out.2.bias".',
    });
  });

  it('that says twice what becomes of a weight counts once', async () => {
    const { changes, leftOver } = await match({
      ...pair(`lora_unet_${underscored}_attn1_to_q`, 4, 4),
      ...pair('lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q', 4, 4),
    });
    expect([changes.length, leftOver.length]).toEqual([1, 2]);
  });
});

describe('the file of a LoRA', () => {
  const open = (file: string) => openLora({ name: 'film look', file, strength: 1 });

  it('that is not there is missed by name', async () => {
    await expect(open(join(dir, 'no.safetensors'))).rejects.toMatchObject({
      code: 'adapter-missing',
      message: expect.stringContaining('The LoRA "film look" cannot be used: ') as string,
    });
  });

  it('that is cut short is damaged', async () => {
    const file = await writeTensors(dir, 'cut.safetensors', pair('lora_unet_a', 4, 4));
    await truncate(file, 4100);
    await expect(open(file)).rejects.toMatchObject({ code: 'adapter-damaged' });
  });

  it('that is a pickle is refused without a look into it', async () => {
    await writeFile(join(dir, 'old.pt'), 'x');
    await expect(open(join(dir, 'old.pt'))).rejects.toMatchObject({
      code: 'adapter-unsupported',
      message: expect.stringContaining('is a pickle') as string,
    });
  });
});
