// npm run bench -- official --official FOLDER [--only agreement,speed,speed-sd15] [--quick] [--rounds N]: the reference schedule
// against the official code itself. FOLDER is a copy of github.com/omerbt/TokenFlow at 5dd6a69.

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Bench } from '../table.ts';
import { measureAgreement } from './agreement.ts';
import { measureSpeed } from './speed.ts';

const parts = ['agreement', 'speed', 'speed-sd15'] as const;

export const officialBench: Bench = {
  name: 'official',
  title: 'The reference schedule against the official code on PyTorch: the same edit, and the time of its steps',
  parts,
  isOnDemand: true,
  async run(options) {
    const folder = options.officialFolder;
    if (folder === null || !existsSync(path.join(folder, 'run_tokenflow_pnp.py'))) {
      options.log(
        `--official must name a copy of github.com/omerbt/TokenFlow at 5dd6a69, got ${folder ?? 'nothing'}: no comparison.`,
      );
      return [];
    }
    const isWanted = (part: (typeof parts)[number]) => options.only?.includes(part) ?? true;
    return [
      ...(isWanted('agreement') ? await measureAgreement(path.resolve(folder), options) : []),
      ...(isWanted('speed') ? await measureSpeed(path.resolve(folder), 'embedded', options) : []),
      ...(isWanted('speed-sd15') && !options.isQuick ? await measureSpeed(path.resolve(folder), 'sd15', options) : []),
    ];
  },
};
