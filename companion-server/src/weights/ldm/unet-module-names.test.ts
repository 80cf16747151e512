import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import { openSafetensors } from '../safetensors.ts';
import { ldmNamesOfUNet } from './unet-module-names.ts';
import { ldmUNetNames } from './unet-names.ts';

/** Levels with and without attention, one and several blocks per transformer. */
describe.each(['sd1', 'sd2', 'sdxl'])('the UNet of %s', (family) => {
  it('has a name in the original code for every module, and the way there and back ends where it began', async () => {
    const { entries } = await openSafetensors(
      path.join(goldenDir, family, 'unet', 'diffusion_pytorch_model.safetensors'),
    );
    const keys = [...entries.keys()];
    const moduleOf = (key: string) => key.replace(/\.(weight|bias)$/, '');
    const modules = [...new Set(keys.map(moduleOf))];
    const names = ldmNamesOfUNet(modules);
    expect([...names.keys()].sort()).toEqual(modules.sort());
    expect(new Set(names.values()).size).toBe(modules.length);
    const original = new Map(
      keys.map((key) => [`${names.get(moduleOf(key)) ?? ''}${key.slice(moduleOf(key).length)}`, key]),
    );
    for (const [back, key] of ldmUNetNames(original)) expect(back).toBe(key);
    expect(ldmUNetNames(original).size).toBe(keys.length);
  });
});

it.each([
  ['down_blocks.1.attentions.1.proj_in', 'input_blocks.5.1.proj_in'],
  ['down_blocks.0.downsamplers.0.conv', 'input_blocks.3.0.op'],
  ['mid_block.resnets.1.conv2', 'middle_block.2.out_layers.3'],
  ['up_blocks.0.upsamplers.0.conv', 'output_blocks.2.1.conv'],
  ['up_blocks.1.upsamplers.0.conv', 'output_blocks.5.2.conv'],
  ['time_embedding.linear_2', 'time_embed.2'],
])('%s of Stable Diffusion 1.x is %s', (module, ldm) => {
  const modules = [
    ...['down_blocks.0.resnets.0.conv1', 'down_blocks.0.resnets.1.conv1', 'up_blocks.1.attentions.0.proj_in'],
    module,
  ];
  expect(ldmNamesOfUNet(modules).get(module)).toBe(ldm);
});
