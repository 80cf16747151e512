// What a file is: a checkpoint, LoRA, VAE or embedding, by its header; and why it cannot be used, where it cannot.

import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { EditError } from '../../errors.ts';
import { openCheckpoint } from '../../families/open-checkpoint.ts';
import { openSafetensors, type SafetensorsFile } from '../../weights/safetensors.ts';
import { withoutAnyPath } from '../../without-paths.ts';
import type { FolderRole, FoundFile, FoundKind, KindOf, ModelKind } from './found.ts';

/** Endings of files of weights, those that are never read included: their users look for them. */
export const weightEndings = ['.safetensors', '.sft', '.ckpt', '.pt', '.pth', '.bin', '.gguf', '.tdict'] as const;

/** Formats that are not read, by the ending of the file. */
const closedFormats: Readonly<Record<string, string>> = {
  '.gguf': 'It is quantised (GGUF), and only plain floating point is read: take the model as .safetensors.',
  '.tdict': 'It is in a format of DiffusionBee: take the original file of the model as .safetensors.',
};
const pickle = 'It is a pickle, which may run code when it is read: take the model as .safetensors.';
const drawThings = 'It is in a format of Draw Things: take the original file of the model as .safetensors.';

const kindsOfRoles: Readonly<Record<FolderRole, ModelKind>> = {
  checkpoints: 'checkpoint',
  networks: 'checkpoint',
  loras: 'lora',
  vaes: 'vae',
  embeddings: 'embedding',
  any: 'checkpoint',
  repository: 'checkpoint',
};

const nothing: FoundKind = { kind: null, family: null, problem: null };

/** Asks the code that loads a model. */
export const kindOf: KindOf = async (file) => {
  if (file.isFolder) return kindOfFolder(file);
  const ending = extname(file.path).toLowerCase();
  if (ending === '.safetensors' || ending === '.sft') return kindOfSafetensors(file);
  const kind = kindsOfRoles[file.role];
  if (isDrawThings(file)) return drawThingsKind(file);
  // Most repositories are of other things than pictures, and a pickle does not say of what.
  if (file.role === 'repository') return nothing;
  return { kind, family: null, problem: closedFormats[ending] ?? pickle };
};

async function kindOfFolder({ path, role }: FoundFile): Promise<FoundKind> {
  try {
    await openCheckpoint(path);
    return { kind: 'checkpoint', family: await familyOfFolder(path), problem: null };
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    // Not all files of it were downloaded.
    if (error.code === 'model-missing' && role === 'repository') return nothing;
    return { kind: 'checkpoint', family: null, problem: problemOf(error) };
  }
}

/** Width of the text that a UNet reads, and the family that has it. */
const familiesOfTextWidth: Readonly<Record<number, string>> = {
  768: 'Stable Diffusion 1.x',
  1024: 'Stable Diffusion 2.x',
  2048: 'Stable Diffusion XL',
};

async function familyOfFolder(dir: string): Promise<string | null> {
  const config = JSON.parse(await readFile(join(dir, 'unet', 'config.json'), 'utf8')) as Record<string, unknown>;
  return familiesOfTextWidth[Number(config['cross_attention_dim'])] ?? null;
}

async function kindOfSafetensors(file: FoundFile): Promise<FoundKind> {
  try {
    const header = await openSafetensors(file.path);
    return recognise(header, file.role);
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    if (error.code === 'model-missing') return nothing;
    return { kind: kindsOfRoles[file.role], family: null, problem: problemOf(error) };
  }
}

const loraKey = /(\.|_)lora(_|\.)?(down|up|A|B|mid|linear)|\.(hada_w|lokr_w)|\.dora_scale$/;
const embeddingKey = /^(emb_params|clip_[lg]|string_to_param\.\*)$/;

function recognise({ entries }: SafetensorsFile, role: FolderRole): FoundKind {
  const keys = [...entries.keys()];
  const isOf = (kind: ModelKind, problem: string | null = null): FoundKind => ({ kind, family: null, problem });
  if (keys.some((key) => loraKey.test(key))) return isOf('lora');
  if (keys.every((key) => embeddingKey.test(key))) return isOf('embedding');
  if (keys.some((key) => key.startsWith('model.diffusion_model.'))) return isOf('checkpoint');
  if (keys.some((key) => /^(first_stage_model\.|vae\.)?decoder\.conv_in\.weight$/.test(key))) return isOf('vae');
  return role === 'any' || role === 'repository'
    ? nothing
    : isOf(kindsOfRoles[role], 'Its tensors have names that are not known.');
}

function isDrawThings({ path }: FoundFile): boolean {
  return path.replaceAll('\\', '/').includes('/com.liuliu.draw-things/') && /\.ckpt$/i.test(path);
}

/** Draw Things keeps the parts of its models in one folder; only networks and LoRAs are something to choose. */
function drawThingsKind({ path }: FoundFile): FoundKind {
  const name = basename(path).toLowerCase();
  if (/vae|clip|encoder|controlnet|t2i|adapter|esrgan|upscale|safety|depth|llama|umt5|t5_/.test(name)) return nothing;
  return { kind: name.includes('_lora_') ? 'lora' : 'checkpoint', family: null, problem: drawThings };
}

/** The first sentence of the message, without paths. */
export function problemOf({ message }: EditError): string {
  const text = withoutAnyPath(message);
  return text.length <= 1_000 ? text : `${text.slice(0, 997)}...`;
}
