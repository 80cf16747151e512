// DiffusionBee (macOS): what it downloaded and imported. Most of it is in a format of its own, and is listed with this as
// the reason.

import { join } from 'node:path';
import type { PlaceKind } from '../found.ts';
import { foldersIn, isFolder } from './layout.ts';

export const diffusionBee: PlaceKind = {
  source: 'diffusionbee',
  title: 'DiffusionBee',
  usualRoots: ({ platform, home }) => (platform === 'darwin' ? [join(home, '.diffusionbee')] : []),
  async foldersOf(root) {
    const layout = [
      ['downloaded_assets', 'any'],
      ['imported_models', 'any'],
      ['custom_models', 'any'],
    ] as const;
    for (const [below] of layout) {
      if (await isFolder(join(root, below))) return foldersIn(root, 'diffusionbee', layout);
    }
    return null;
  },
};
