// What a file is: a checkpoint, LoRA, VAE, embedding or ControlNet, by its header; and why it cannot be used, where it cannot.

import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { EditError } from '../../errors.ts';
import { formOfControlNet, kindAmong } from '../../families/controlnet-files.ts';
import { openCheckpoint } from '../../families/open-checkpoint.ts';
import { PartsMissingError } from '../../families/open-single-file.ts';
import type { FileShapes } from '../../families/refused-files.ts';
import { recognise } from '../../families/recognise.ts';
import { familyOfTextWidth, modelFamilies, recogniseLora } from '../../weights/lora/recognise-lora.ts';
import { typed } from '../../typed-command.ts';
import { openSafetensors, type SafetensorsFile } from '../../weights/safetensors.ts';
import { recogniseEmbedding } from '../../weights/textual-inversion.ts';
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
  controlnets: 'controlnet',
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

async function familyOfFolder(dir: string): Promise<string | null> {
  const config = JSON.parse(await readFile(join(dir, 'unet', 'config.json'), 'utf8')) as Record<string, unknown>;
  return familyOfTextWidth(Number(config['cross_attention_dim']));
}

async function kindOfSafetensors(file: FoundFile): Promise<FoundKind> {
  try {
    const header = await openSafetensors(file.path);
    return await kindOfTensors(header, file.role);
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    if (error.code === 'model-missing') return nothing;
    return { kind: kindsOfRoles[file.role], family: null, problem: problemOf(error) };
  }
}

const embeddingKey = /^(emb_params|clip_[lg]|string_to_param\.\*)$/;
const decoderKey = /^(?:first_stage_model\.|vae\.)?decoder\.conv_in\.weight$/;
const mergedFamilies: readonly string[] = [modelFamilies.sd1, modelFamilies.sd2, modelFamilies.sdxl];

async function kindOfTensors({ path, entries, metadata }: SafetensorsFile, role: FolderRole): Promise<FoundKind> {
  const keys = [...entries.keys()];
  const lora = recogniseLora(entries, metadata);
  if (lora !== null) {
    const isKnown = lora.family === null || mergedFamilies.includes(lora.family);
    const problem = isKnown ? null : `It is for ${lora.family}, and such models are not used here.`;
    return { kind: 'lora', family: lora.family, problem };
  }
  // Elsewhere a few small tensors may be anything.
  const isEmbedding = role === 'embeddings' || keys.every((key) => embeddingKey.test(key));
  const embedding = isEmbedding ? recogniseEmbedding(entries) : null;
  if (embedding !== null) return { kind: 'embedding', family: embedding.family, problem: null };
  const control = controlNetIn(entries);
  if (control !== null) return control;
  if (keys.some((key) => key.startsWith('model.diffusion_model.'))) {
    return kindOfSingleFile(path, recognise(entries, metadata).title);
  }
  const decoder = keys.find((key) => decoderKey.test(key));
  if (decoder !== undefined) {
    const channels = entries.get(decoder)?.dims[1];
    const problem = channels === 4 ? null : `It is a VAE of ${channels ?? 0} latent channels, and 4 are needed.`;
    return { kind: 'vae', family: null, problem };
  }
  if (role === 'any' || role === 'repository') return nothing;
  return { kind: kindsOfRoles[role], family: null, problem: 'Its tensors have names that are not known.' };
}

/** A ControlNet, or a relative of it that is not used here; null for anything else. */
function controlNetIn(entries: FileShapes): FoundKind | null {
  const relative = kindAmong(entries);
  if (relative !== null) {
    return { kind: 'controlnet', family: null, problem: `It is ${relative.what}. ${relative.instead}` };
  }
  if (formOfControlNet(entries) === null) return null;
  const [, { dims: [, width] = [] } = {}] = [...entries].find(([key]) => key.endsWith('.attn2.to_k.weight')) ?? [];
  return { kind: 'controlnet', family: familyOfTextWidth(width ?? 0), problem: null };
}

/** A checkpoint in one file: whoever loads it says whether it can be used. */
async function kindOfSingleFile(path: string, family: string | null): Promise<FoundKind> {
  try {
    await openCheckpoint(path);
    return { kind: 'checkpoint', family, problem: null };
  } catch (error) {
    if (error instanceof PartsMissingError) {
      return { kind: 'checkpoint', family, problem: problemOfParts(error), lacksParts: true };
    }
    if (!(error instanceof EditError)) throw error;
    return { kind: 'checkpoint', family, problem: problemOf(error) };
  }
}

function problemOfParts({ lacking }: PartsMissingError): string {
  const add = typed('models add FILE --parts FOLDER');
  return `It has no ${lacking.join(' and no ')}. Add it with ${add}, where the folder is a checkpoint that has them.`;
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
