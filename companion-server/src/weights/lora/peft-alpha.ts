// Where PEFT writes the alpha of its adapters: not among the tensors, but in the metadata of the file or in
// adapter_config.json beside it (huggingface.co/docs/peft, "LoraConfig").

import { isJsonObject, type JsonObject } from '../json-file.ts';

/** The number by which a module's change is multiplied, from its rank; null where nothing is said about it. */
export type DeclaredScale = (module: string, part: string, rank: number) => number | null;

/** Key of the metadata in which diffusers keeps PEFT's settings, with the part's folder and a dot before each name. */
const metadataKey = 'lora_adapter_metadata';

export const noDeclaredScale: DeclaredScale = () => null;

/** What diffusers has written into the metadata of a file. Text that is no such JSON says nothing. */
export function scaleInMetadata(metadata: ReadonlyMap<string, string>): DeclaredScale {
  const text = metadata.get(metadataKey);
  if (text === undefined) return noDeclaredScale;
  let settings: unknown;
  try {
    settings = JSON.parse(text);
  } catch {
    return noDeclaredScale;
  }
  if (!isJsonObject(settings)) return noDeclaredScale;
  const all = settings;
  return (module, part, rank) => scaleOf((name) => all[`${part}.${name}`], module, rank);
}

/** What adapter_config.json says. */
export function scaleInConfig(config: JsonObject): DeclaredScale {
  return (module, _part, rank) => scaleOf((name) => config[name], module, rank);
}

function scaleOf(setting: (name: string) => unknown, module: string, rank: number): number | null {
  const pattern = setting('alpha_pattern');
  const own = isJsonObject(pattern) ? Object.entries(pattern).find(([name]) => fits(name, module))?.[1] : undefined;
  const alpha = own ?? setting('lora_alpha') ?? setting('alpha');
  if (typeof alpha !== 'number' || !Number.isFinite(alpha)) return null;
  // Rank-stabilised LoRA, arXiv 2312.03732.
  return alpha / (setting('use_rslora') === true ? Math.sqrt(rank) : rank);
}

/** A pattern names a module or the end of its name. PEFT reads it as an expression; files have plain names in it. */
function fits(pattern: string, module: string): boolean {
  const name = pattern.replaceAll('\\.', '.').replace(/^\^/, '').replace(/\$$/, '');
  return module === name || module.endsWith(`.${name}`);
}
