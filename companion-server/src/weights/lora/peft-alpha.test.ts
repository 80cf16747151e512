import { describe, expect, it } from 'vitest';
import { scaleInConfig, scaleInMetadata } from './peft-alpha.ts';

const metadataOf = (settings: unknown) =>
  scaleInMetadata(
    new Map([['lora_adapter_metadata', typeof settings === 'string' ? settings : JSON.stringify(settings)]]),
  );

describe('the scale that PEFT declares', () => {
  it('is alpha by rank, of the part that is meant', () => {
    const scale = metadataOf({ 'unet.lora_alpha': 8, 'unet.r': 4, 'text_encoder.lora_alpha': 2 });
    expect(scale('down_blocks.0.attn1.to_q', 'unet', 4)).toBe(2);
    expect(scale('layers.0.mlp.fc1', 'text_encoder', 4)).toBe(0.5);
    expect(scale('layers.0.mlp.fc1', 'text_encoder_2', 4)).toBeNull();
  });

  it('follows a pattern for the modules whose name is or ends as it says', () => {
    const scale = metadataOf({ 'unet.lora_alpha': 8, 'unet.alpha_pattern': { 'attn1.to_q': 2, '^mid\\.to_k': 1 } });
    expect(scale('down_blocks.0.attn1.to_q', 'unet', 4)).toBe(0.5);
    expect(scale('attn1.to_q', 'unet', 4)).toBe(0.5);
    expect(scale('mid.to_k', 'unet', 4)).toBe(0.25);
    expect(scale('down_blocks.0.xattn1.to_q', 'unet', 4)).toBe(2);
  });

  it('divides by the root of the rank where the adapter is rank-stabilised', () => {
    expect(scaleInConfig({ lora_alpha: 6, use_rslora: true })('any', 'unet', 9)).toBe(2);
  });

  it.each([['not JSON'], [[]], [{}], [{ 'unet.lora_alpha': 'x' }], [{ 'unet.lora_alpha': null }]])(
    'is not there in %j',
    (settings) => {
      expect(metadataOf(settings)('any', 'unet', 4)).toBeNull();
    },
  );
});
