// AUTOMATIC1111's Stable Diffusion web UI, and Forge, which has the same folders. The arguments in webui-user.sh and
// webui-user.bat can move them (modules/paths_internal.py and modules/shared_cmd_options.py there).

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FolderRole, Machine, PlaceFolder, PlaceKind } from '../found.ts';
import { expandPath } from './expand-path.ts';
import { foldersIn, isFolder, labelOf, type Layout } from './layout.ts';

const layout: Layout = [
  ['models/Stable-diffusion', 'checkpoints'],
  ['models/Lora', 'loras'],
  ['models/LyCORIS', 'loras'],
  ['models/VAE', 'vaes'],
  ['embeddings', 'embeddings'],
  ['models/ControlNet', 'controlnets'],
  ['extensions/sd-webui-controlnet/models', 'controlnets'],
];

/** Arguments that name one more folder. */
const arguments_: Readonly<Record<string, FolderRole>> = {
  'ckpt-dir': 'checkpoints',
  'lora-dir': 'loras',
  'lyco-dir': 'loras',
  'vae-dir': 'vaes',
  'embeddings-dir': 'embeddings',
  'controlnet-dir': 'controlnets',
};

const argument =
  /--(ckpt-dir|lora-dir|lyco-dir|vae-dir|embeddings-dir|controlnet-dir|data-dir|models-dir)[ =]+("[^"]*"|'[^']*'|[^\s"']+)/g;

/** A script of arguments is short. */
const maxScriptCharacters = 100_000;

export const automatic1111: PlaceKind = {
  source: 'automatic1111',
  title: 'AUTOMATIC1111 / Forge',
  usualRoots: ({ env, platform, home }) => {
    const names = ['stable-diffusion-webui', 'stable-diffusion-webui-forge', 'sd.webui/webui', 'webui_forge/webui'];
    const parents = [home, join(home, 'Documents')];
    if (platform === 'win32') parents.push(`${env['SystemDrive'] ?? 'C:'}\\`);
    return parents.flatMap((parent) => names.map((name) => join(parent, ...name.split('/'))));
  },
  async foldersOf(root, machine) {
    if (!(await isFolder(join(root, 'models', 'Stable-diffusion')))) return null;
    return [...foldersIn(root, 'automatic1111', layout), ...(await foldersOfArguments(root, machine))];
  },
};

async function foldersOfArguments(root: string, machine: Machine): Promise<readonly PlaceFolder[]> {
  const folders: PlaceFolder[] = [];
  for (const name of ['webui-user.sh', 'webui-user.bat']) {
    // A script that is not there, or cannot be read, moves nothing.
    const script = await readFile(join(root, name), 'utf8').catch(() => '');
    const lines = script.slice(0, maxScriptCharacters).split('\n');
    const active = lines.filter((line) => !/^\s*(#|rem\b|::)/i.test(line) && line.includes('COMMANDLINE_ARGS'));
    for (const [, key = '', value = ''] of active.flatMap((line) => [...line.matchAll(argument)])) {
      const dir = expandPath(value.replaceAll(/^["']|["']$/g, ''), machine, root);
      const role = arguments_[key];
      if (role !== undefined) folders.push({ source: 'automatic1111', dir, label: labelOf(dir, root), role });
      else if (key === 'data-dir') folders.push(...foldersIn(dir, 'automatic1111', layout));
      else folders.push(...foldersIn(dir, 'automatic1111', modelsLayout));
    }
  }
  return folders;
}

const modelsLayout: Layout = layout
  .filter(([below]) => below.startsWith('models/'))
  .map(([below, role]) => [below.slice('models/'.length), role]);
