// The LoRA of the form: which are chosen, and how strongly.

import { loraStrengthRange, maxLoras } from '../../../protocol/limits.ts';
import type { LoraChoice } from '../../../protocol/lora.ts';

/** A LoRA that the server offers. */
export interface OfferedLora {
  /** The name that settings use. */
  readonly name: string;
  /** For users. */
  readonly title: string;
  /** The models that it is for, as `Stable Diffusion XL`; null when unknown. */
  readonly family: string | null;
}

/** A LoRA as it was trained. */
const usualStrength = 1;

export function canAddLora(chosen: readonly LoraChoice[]): boolean {
  return chosen.length < maxLoras;
}

export function withLora(chosen: readonly LoraChoice[], name: string): readonly LoraChoice[] {
  if (!canAddLora(chosen) || chosen.some((one) => one.name === name)) return chosen;
  return [...chosen, { name, strength: usualStrength }];
}

export function withoutLora(chosen: readonly LoraChoice[], name: string): readonly LoraChoice[] {
  return chosen.filter((one) => one.name !== name);
}

export function withLoraStrength(chosen: readonly LoraChoice[], name: string, strength: number): readonly LoraChoice[] {
  const { min, max } = loraStrengthRange;
  const within = Math.min(max, Math.max(min, strength));
  return chosen.map((one) => (one.name === name ? { ...one, strength: within } : one));
}
