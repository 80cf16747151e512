// ComfyUI: models/checkpoints and its neighbours, and the folders that extra_model_paths.yaml names (ComfyUI's
// folder_paths.py and utils/extra_config.py). The desktop application has its file elsewhere, under another name.

import { basename, dirname, join } from 'node:path';
import type { Complain, FolderRole, Machine, PlaceFolder, PlaceKind } from '../found.ts';
import { mappingOf, readYaml } from '../yaml-file.ts';
import { expandPath } from './expand-path.ts';
import { foldersIn, isFile, isFolder, labelOf, type Layout } from './layout.ts';

const layout: Layout = [
  ['models/checkpoints', 'checkpoints'],
  ['models/diffusers', 'checkpoints'],
  ['models/loras', 'loras'],
  ['models/vae', 'vaes'],
  ['models/embeddings', 'embeddings'],
  ['models/controlnet', 'controlnets'],
  ['models/unet', 'networks'],
  ['models/diffusion_models', 'networks'],
];

/** Names in extra_model_paths.yaml; the others are of models that are not used here. */
const roles: Readonly<Record<string, FolderRole>> = {
  checkpoints: 'checkpoints',
  diffusers: 'checkpoints',
  loras: 'loras',
  vae: 'vaes',
  embeddings: 'embeddings',
  controlnet: 'controlnets',
  unet: 'networks',
  diffusion_models: 'networks',
};

/** Folders below models/ that no other program has. */
const ownFolders = ['checkpoints', 'loras', 'diffusion_models'];

const settingsNames = ['extra_model_paths.yaml', 'extra_models_config.yaml'];

export const comfyui: PlaceKind = {
  source: 'comfyui',
  title: 'ComfyUI',
  usualRoots: ({ env, platform, home }) => [
    join(home, 'ComfyUI'),
    join(home, 'Documents', 'ComfyUI'),
    ...(platform === 'win32'
      ? [
          join(`${env['SystemDrive'] ?? 'C:'}\\`, 'ComfyUI_windows_portable', 'ComfyUI'),
          join(home, 'ComfyUI_windows_portable', 'ComfyUI'),
          join(env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'ComfyUI'),
        ]
      : []),
    ...(platform === 'darwin' ? [join(home, 'Library', 'Application Support', 'ComfyUI')] : []),
    ...(platform === 'linux' ? [join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'ComfyUI')] : []),
  ],
  async foldersOf(root, machine, complain) {
    const settings: string[] = [];
    for (const name of settingsNames) if (await isFile(join(root, name))) settings.push(join(root, name));
    let isInstalled = false;
    for (const name of ownFolders) isInstalled ||= await isFolder(join(root, 'models', name));
    if (!isInstalled && settings.length === 0) return null;
    const named: PlaceFolder[] = [];
    for (const path of settings) named.push(...(await foldersNamedIn(path, machine, complain)));
    return [...(isInstalled ? foldersIn(root, 'comfyui', layout) : []), ...named];
  },
};

/** Folders of extra_model_paths.yaml: sections with a `base_path`, and one or more folders a line for each kind. */
async function foldersNamedIn(path: string, machine: Machine, complain: Complain): Promise<readonly PlaceFolder[]> {
  const fault = (text: string): void => complain(`ComfyUI, ${basename(path)}: ${text}.`);
  let file: unknown;
  try {
    file = await readYaml(path);
  } catch (error) {
    fault(error instanceof Error ? error.message : String(error));
    return [];
  }
  if (file === undefined || file === null) return [];
  const sections = mappingOf(file);
  if (sections === undefined) {
    fault('must have sections such as comfyui');
    return [];
  }
  return Object.entries(sections).flatMap(([name, value]) => {
    if (value === null) return [];
    const section = mappingOf(value);
    if (section === undefined) {
      fault(`${name} must have lines such as "checkpoints: models/checkpoints"`);
      return [];
    }
    const { base_path: base, ...kinds } = section;
    const from = typeof base === 'string' ? expandPath(base, machine, dirname(path)) : dirname(path);
    return Object.entries(kinds).flatMap(([kind, folders]) => {
      const role = Object.hasOwn(roles, kind) ? roles[kind] : undefined;
      if (role === undefined) return [];
      if (typeof folders !== 'string') {
        fault(`${name}.${kind} must be a folder, or one in each line`);
        return [];
      }
      const lines = folders.split('\n').filter((line) => line.trim() !== '');
      return lines.map((line): PlaceFolder => {
        const dir = expandPath(line, machine, from);
        return { source: 'comfyui', dir, label: labelOf(dir, from), role };
      });
    });
  });
}
