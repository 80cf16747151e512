// Draw Things (macOS): all its models are in one folder, in a format of its own (tables of SQLite, with names that end in
// .ckpt), and are listed with this as the reason.

import { join } from 'node:path';
import type { PlaceKind } from '../found.ts';
import { isFolder } from './layout.ts';

const container = ['Library', 'Containers', 'com.liuliu.draw-things', 'Data', 'Documents'];

export const drawThings: PlaceKind = {
  source: 'draw-things',
  title: 'Draw Things',
  usualRoots: ({ platform, home }) => (platform === 'darwin' ? [join(home, ...container)] : []),
  async foldersOf(root) {
    const isContainer = root.replaceAll('\\', '/').includes('com.liuliu.draw-things');
    const dir = join(root, 'Models');
    if (!isContainer || !(await isFolder(dir))) return null;
    return [{ source: 'draw-things', dir, label: 'Models', role: 'any' }];
  },
};
