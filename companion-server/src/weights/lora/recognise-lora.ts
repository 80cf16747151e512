// What an adapter is and which models it is for, by its keys, its shapes and its metadata. Nothing but the header is read.

import { changesOf, type Change, type SlotDims } from './changes.ts';
import { groupKeys, type ModuleKeys } from './grouped-keys.ts';

/** What is known of a tensor from its file's header. */
export interface TensorShape {
  readonly dims: readonly number[];
}

export const loraKinds = ['LoRA', 'LoCon', 'LoHa', 'LoKr', 'DoRA', 'difference'] as const;
export type LoraKind = (typeof loraKinds)[number];

export interface RecognisedLora {
  readonly kind: LoraKind;
  /** The models that it is for, in words for users, as `Stable Diffusion XL`; null where nothing shows it. */
  readonly family: string | null;
  /** Of most of its modules; null where they have none. */
  readonly rank: number | null;
}

/** Names of modules that only these models have. */
const familiesByName: readonly (readonly [RegExp, string])[] = [
  [/(^|[._])(double_blocks|single_blocks|single_transformer_blocks)[._]/, 'Flux'],
  [/(^|[._])joint_blocks[._]/, 'Stable Diffusion 3'],
  [/(^|[._])motion_modules[._]/, 'AnimateDiff'],
  [/^lora_prior_unet_/, 'Stable Cascade'],
  [/(^|[._])blocks[._]\d+[._](self_attn|cross_attn)[._]/, 'a video model'],
  [/^(lora_)?transformer[._]/, 'a diffusion transformer, such as Stable Diffusion 3 or Flux'],
];

/** As users are told of them. */
export const modelFamilies = {
  sd1: 'Stable Diffusion 1.x',
  sd2: 'Stable Diffusion 2.x',
  sdxl: 'Stable Diffusion XL',
  refiner: 'the refiner of Stable Diffusion XL',
} as const;

/** By the width of the text that a UNet reads. */
const familiesByTextWidth: Readonly<Record<number, string>> = {
  768: modelFamilies.sd1,
  1024: modelFamilies.sd2,
  1280: modelFamilies.refiner,
  2048: modelFamilies.sdxl,
};

/** The models whose UNet reads text of this width; null where it is none of the known ones. */
export function familyOfTextWidth(width: number): string | null {
  return familiesByTextWidth[width] ?? null;
}

/** By the start of what trainers write into the metadata: kohya, then the model spec (github.com/Stability-AI/ModelSpec). */
const familiesByMetadata: readonly (readonly [string, RegExp, string])[] = [
  ['ss_base_model_version', /^sdxl/, modelFamilies.sdxl],
  ['ss_base_model_version', /^sd_v1/, modelFamilies.sd1],
  ['ss_base_model_version', /^sd_v2/, modelFamilies.sd2],
  ['ss_base_model_version', /^sd3/, 'Stable Diffusion 3'],
  ['ss_base_model_version', /^flux/, 'Flux'],
  ['modelspec.architecture', /^stable-diffusion-xl/, modelFamilies.sdxl],
  ['modelspec.architecture', /^stable-diffusion-v1/, modelFamilies.sd1],
  ['modelspec.architecture', /^stable-diffusion-v2/, modelFamilies.sd2],
  ['modelspec.architecture', /^stable-diffusion-3/, 'Stable Diffusion 3'],
  ['modelspec.architecture', /^flux/i, 'Flux'],
];

/** Null for a file that is no LoRA. */
export function recogniseLora(
  tensors: ReadonlyMap<string, TensorShape>,
  metadata: ReadonlyMap<string, string>,
): RecognisedLora | null {
  const { modules } = groupKeys(tensors.keys());
  const found = [...modules].map(([name, keys]) => ({ name, keys, changes: changesOf(dimsOf(keys, tensors)) }));
  const changes = found.flatMap((module) => module.changes);
  if (changes.length === 0) return null;
  const keys = found.map((module) => module.keys);
  return {
    kind: kindOf(changes, keys, tensors),
    family: familyOf(found, metadata),
    rank: commonest(changes.flatMap(({ rank }) => rank ?? [])),
  };
}

/** The models that a UNet with these weights belongs to; null where it is none of the known ones. */
export function familyOfUNet(tensors: ReadonlyMap<string, TensorShape>): string | null {
  for (const [key, { dims }] of tensors) {
    if (/\.attn2\.to_k\.weight$/.test(key)) return familyOfTextWidth(dims[1] ?? 0);
  }
  return null;
}

/** The dims of a module's tensors. */
export function dimsOf(keys: ModuleKeys, tensors: ReadonlyMap<string, TensorShape>): SlotDims {
  return new Map([...keys].map(([slot, key]) => [slot, tensors.get(key)?.dims ?? []]));
}

function kindOf(
  changes: readonly Change[],
  modules: readonly ModuleKeys[],
  tensors: ReadonlyMap<string, TensorShape>,
): LoraKind {
  const has = (kind: Change['kind']): boolean => changes.some((change) => change.kind === kind);
  if (has('loha')) return 'LoHa';
  if (has('lokr')) return 'LoKr';
  if (!has('lora')) return 'difference';
  if (modules.some((keys) => keys.has('doraScale') || keys.has('magnitude'))) return 'DoRA';
  return modules.some((keys) => isOfConvolution(keys, tensors)) ? 'LoCon' : 'LoRA';
}

function isOfConvolution(keys: ModuleKeys, tensors: ReadonlyMap<string, TensorShape>): boolean {
  const [, , height = 1] = tensors.get(keys.get('down') ?? '')?.dims ?? [];
  return keys.has('mid') || height > 1;
}

function familyOf(
  modules: readonly { readonly name: string; readonly changes: readonly Change[] }[],
  metadata: ReadonlyMap<string, string>,
): string | null {
  for (const [pattern, family] of familiesByName) {
    if (modules.some(({ name }) => pattern.test(name))) return family;
  }
  const widthAt = (pattern: RegExp): number =>
    modules.find(({ name, changes }) => pattern.test(name) && changes.length > 0)?.changes[0]?.columns ?? 0;
  const byText = familiesByTextWidth[widthAt(/attn2[._](?:processor\.)?to_[kv]$/)];
  if (byText !== undefined) return byText;
  for (const [key, pattern, family] of familiesByMetadata) {
    if (pattern.test(metadata.get(key) ?? '')) return family;
  }
  if (modules.some(({ name }) => /^(lora_te[12]_|text_encoder_2\.|lycoris_te[12]_)/.test(name)))
    return modelFamilies.sdxl;
  const textWidth = widthAt(/(self_attn[._][qkv]_proj|self_attn\.to_[qkv])$/);
  if (textWidth === 768) return modelFamilies.sd1;
  return textWidth === 1024 ? modelFamilies.sd2 : null;
}

function commonest(values: readonly number[]): number | null {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}
