// The LoRA, embeddings and VAE that the command line names: by a file, or by a name that the server knows.

import { basename, extname, resolve } from 'node:path';
import type { LoraChoice } from '../../../protocol/lora.ts';
import { EditError } from '../errors.ts';

export interface AdapterRequest {
  readonly loras: readonly LoraChoice[];
  /** Absolute paths of the LoRA that are named by a file, by the name that the edit uses. */
  readonly loraFiles: ReadonlyMap<string, string>;
  /** Absolute paths by word of the prompt. */
  readonly embeddingFiles: ReadonlyMap<string, string>;
  /** The name that the edit uses; undefined for the model's own VAE. */
  readonly vae: string | undefined;
  /** Absolute path of the VAE by that name, where it is named by a file or folder. */
  readonly vaeFiles: ReadonlyMap<string, string>;
}

/** Throws EditError('invalid-request') that names the option. */
export function readAdapters(
  loras: readonly string[],
  embeddings: readonly string[],
  vae: string | undefined,
): AdapterRequest {
  const loraFiles = new Map<string, string>();
  const choices = loras.map((text) => {
    const { what, strength } = splitStrength(text);
    if (!isFile(what)) return { name: what, strength };
    const name = freeName(stemOf(what), loraFiles);
    loraFiles.set(name, resolve(what));
    return { name, strength };
  });
  const embeddingFiles = new Map<string, string>();
  for (const file of embeddings) {
    const word = stemOf(file);
    if (embeddingFiles.has(word)) {
      throw new EditError('invalid-request', `--embedding was given two files for the word '${word}'.`, {
        hint: 'The name of the file is the word of the prompt: rename one of them.',
      });
    }
    embeddingFiles.set(word, resolve(file));
  }
  return { loras: choices, loraFiles, embeddingFiles, ...readVae(vae) };
}

function readVae(vae: string | undefined): Pick<AdapterRequest, 'vae' | 'vaeFiles'> {
  if (vae === undefined || !isFile(vae)) return { vae, vaeFiles: new Map() };
  // A folder is called by its whole name.
  const name = /\.(safetensors|sft)$/i.test(vae) ? stemOf(vae) : basename(vae);
  return { vae: name, vaeFiles: new Map([[name, resolve(vae)]]) };
}

const fileNames: Readonly<Record<string, string>> = { '--vae': 'VAE', '--control': 'ControlNet' };

/** Another machine's server does not see them. Throws EditError('invalid-request') that names the option. */
export function refuseFiles(
  files: Pick<AdapterRequest, 'loraFiles' | 'embeddingFiles' | 'vaeFiles'> & {
    readonly controlFiles: ReadonlyMap<string, string>;
  },
): void {
  const options = {
    '--lora': files.loraFiles,
    '--vae': files.vaeFiles,
    '--embedding': files.embeddingFiles,
    '--control': files.controlFiles,
  };
  const [option] = Object.entries(options).find(([, { size }]) => size > 0) ?? [];
  if (option === undefined) return;
  throw new EditError('invalid-request', `${option} cannot name a file of this machine together with --server.`, {
    hint: `Name a ${fileNames[option] ?? 'LoRA'} that the server has, or leave out --server.`,
  });
}

/** `FILE:0.8`. What follows the last colon counts only if it is a number: a drive of Windows is none. */
function splitStrength(text: string): { readonly what: string; readonly strength: number } {
  const [, what, strength] = /^(.+):([+-]?(?:\d+\.?\d*|\.\d+))$/.exec(text) ?? [];
  if (what === undefined || strength === undefined) return { what: text, strength: 1 };
  return { what, strength: Number(strength) };
}

/** Whether it is a path. Names have no ending of a file; those of a hub's repositories have a slash. */
export function isFile(what: string): boolean {
  if (/\.(safetensors|sft|pt|pth|ckpt|bin)$/i.test(what)) return true;
  return /[\\/]/.test(what) && !/^\w[\w.-]*(\/\w[\w.-]*){1,2}$/.test(what);
}

/** The file's name without its ending. */
export function stemOf(file: string): string {
  // A path of Windows is understood by Windows only, as everywhere.
  const name = basename(file);
  return name.slice(0, name.length - extname(name).length);
}

/** `stem`, or with a number where it is taken. */
export function freeName(stem: string, taken: ReadonlyMap<string, string>): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? stem : `${stem} (${count})`;
    if (!taken.has(name)) return name;
  }
}
