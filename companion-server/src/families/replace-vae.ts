// A VAE in place of a checkpoint's own: one of better colours, or one that stays exact in half precision.

import { EditError } from '../errors.ts';
import { ShapeError } from '../onnx/graph.ts';
import type { Component, OpenOptions } from '../weights/component.ts';
import type { JsonObject } from '../weights/json-file.ts';
import { naming } from '../weights/lora/adapter-error.ts';
import { openPartAt } from '../weights/part-path.ts';
import { tensorsInFiles } from '../weights/tensor-source.ts';
import { classNameOf } from './class-name.ts';
import type { FamilyCheckpoint, ModelFamily, ModelOutline } from './family.ts';
import { vaeConfigOf } from './ldm-configs.ts';
import { recordVae } from './require-loadable.ts';
import { vaeIn } from './vae-in-file.ts';

const folder = 'vae';

/** As a job names it. */
export interface VaeFile {
  /** For messages. */
  readonly name: string;
  /** Absolute path of a safetensors file, or of the folder of a VAE or of a checkpoint in diffusers layout. */
  readonly file: string;
}

/**
 * The checkpoint with this VAE, or as it is where that is null. Only headers are read. Throws EditError: 'adapter-missing',
 * 'adapter-damaged', and 'adapter-unsupported' for a VAE whose latents the UNet does not know.
 */
export function replaceVae(
  checkpoint: FamilyCheckpoint,
  vae: VaeFile | null,
  options: OpenOptions = {},
): Promise<FamilyCheckpoint> {
  if (vae === null) return Promise.resolve(checkpoint);
  return naming('VAE', vae.name, async () => {
    const own = checkpoint.parts.get(folder);
    if (own === undefined) throw unfit('the model has no VAE that could be replaced');
    const before = checkpoint.family.outline(checkpoint);
    const known = { config: own.config, scale: before.vae.latents.scale };
    const found = await openVae(checkpoint.family, vae.file, known, options);
    const replaced = { ...checkpoint, parts: new Map([...checkpoint.parts, [folder, found]]) };
    const after = checkpoint.family.outline(replaced);
    requireSameLatents(before, after);
    requireWeights(after);
    return replaced;
  });
}

/**
 * The VAE for a checkpoint that has none. Only headers are read. Throws EditError: 'adapter-missing', 'adapter-damaged', and
 * 'adapter-unsupported' for a file or folder without a VAE.
 * @param scale the scaling factor of the latents that the UNet knows
 */
export function openNamedVae(
  family: ModelFamily,
  { name, file }: VaeFile,
  scale: number,
  options: OpenOptions = {},
): Promise<Component> {
  return naming('VAE', name, () => openVae(family, file, { config: {}, scale }, options));
}

/**
 * Throws EditError as `replaceVae`, unless the checkpoint can be used with the VAE that it was given.
 * @param scale the scaling factor of the latents that the UNet knows
 */
export function requireFittingVae(checkpoint: FamilyCheckpoint, { name }: VaeFile, scale: number): Promise<void> {
  return naming('VAE', name, () => {
    const outline = checkpoint.family.outline(checkpoint);
    requireSame('scale', scale, outline.vae.latents.scale);
    requireWeights(outline);
    return Promise.resolve();
  });
}

function requireWeights(outline: ModelOutline): void {
  try {
    recordVae(outline);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new EditError('model-damaged', error.message, { cause: error });
  }
}

/**
 * Of a file the config is beside it, or follows from its shapes and, for what these do not tell, from the VAE that it
 * replaces.
 */
async function openVae(
  family: ModelFamily,
  path: string,
  before: ReplacedVae,
  options: OpenOptions,
): Promise<Component> {
  const part = family.layout.parts.find((one) => one.folder === folder);
  if (part === undefined) throw unfit('the model has no VAE that could be replaced');
  const found = await openPartAt(path, part, options);
  if (found.kind === 'component') return { ...found.component, config: told(found.component.config) };
  const weights = vaeIn(found.file.tensors);
  if (weights.size === 0) throw unfit('the file has no VAE with an encoder and a decoder');
  const isBeside = found.config !== null && classNameOf(found.config) === 'AutoencoderKL';
  const config = isBeside ? told(found.config) : likeReplaced(vaeConfigOf(weights, before.scale), before.config);
  return { dir: found.file.path, config, weights: tensorsInFiles(weights) };
}

/** Of diffusers before 0.10, which did not write it: that of Stable Diffusion 1.x and 2.x. */
const unwrittenScale = 0.18215;

function told(config: JsonObject): JsonObject {
  return 'scaling_factor' in config ? config : { ...config, scaling_factor: unwrittenScale };
}

interface ReplacedVae {
  readonly config: JsonObject;
  readonly scale: number;
}

/** Whether it stays in the range of half precision is not known: most do not. */
function likeReplaced(shapes: JsonObject, { norm_num_groups: groups }: JsonObject): JsonObject {
  return { ...shapes, ...(groups === undefined ? {} : { norm_num_groups: groups }), force_upcast: true };
}

function requireSameLatents({ vae: before }: ModelOutline, { vae: after }: ModelOutline): void {
  for (const field of Object.keys(fields) as (keyof typeof fields)[]) {
    requireSame(field, before.latents[field], after.latents[field]);
  }
}

const fields = { channels: 'channels', downscale: 'pixels per latent', scale: 'as scaling factor' } as const;

function requireSame(field: keyof typeof fields, wanted: number, found: number): void {
  if (wanted !== found) throw unfit(`its latents have ${found} ${fields[field]}, those of the model ${wanted}`);
}

function unfit(reason: string): EditError {
  return new EditError('model-unsupported', `${reason}.`);
}
