import { sampleMasks } from '../../companion-server/src/demo/samples.ts';
import type { BenchRow } from '../table.ts';
import { atLeast, mean, percent, ratio, reported, share } from '../rows.ts';
import type { Gate } from './gate.ts';
import { isPlaced, maskOverlap } from '../demo-world/judge.ts';
import { readFrames, spread } from '../demo-world/pictures.ts';

export const judgeGate: Gate = {
  name: 'judge',
  title:
    'The judge itself, on frames of the sample clips as they are: all other gates lean on it. In two of the hard clips posts hide a part of the object, so shape and mask are held to a target on the clean clips only',
  isQuick: true,
  async run({ judge, samples, isQuick, log }) {
    const looks: { hard: boolean; placed: boolean; coloured: boolean; shaped: boolean; overlap: number }[] = [];
    for (const sample of samples) {
      const masks = await sampleMasks(sample);
      const frames = spread(await readFrames(sample.clipPath), isQuick ? 4 : sample.frames);
      const verdicts = await judge.look(frames);
      const here = verdicts.map((verdict, i) => ({
        hard: sample.hard,
        placed: isPlaced(verdict, sample),
        coloured: verdict.judgedLook === sample.look,
        shaped: verdict.object === sample.object,
        overlap: maskOverlap(verdict.mask, masks[frames[i]?.index ?? 0] ?? new Uint8Array()),
      }));
      log(
        `${sample.name}: place and style ${percent(share(here, (look) => look.placed))}, look ${percent(share(here, (look) => look.coloured))}, shape ${percent(share(here, (look) => look.shaped))}, IoU ${ratio(mean(here.map((look) => look.overlap)))}`,
      );
      looks.push(...here);
    }
    const on = `, ${looks.length} source frames`;
    const rows: BenchRow[] = [
      atLeast(
        `place and style named${on}`,
        share(looks, (look) => look.placed),
        0.95,
        percent,
      ),
      atLeast(
        `look (colour or material) right${on}`,
        share(looks, (look) => look.coloured),
        0.95,
        percent,
      ),
    ];
    for (const hard of [false, true]) {
      const some = looks.filter((look) => look.hard === hard);
      if (some.length === 0) continue;
      const where = `, ${some.length} frames of ${hard ? 'hard' : 'clean'} clips`;
      const shaped = share(some, (look) => look.shaped);
      const overlap = mean(some.map((look) => look.overlap));
      const [shape, mask] = [`shape named${where}`, `IoU of its mask with the exact one${where}`];
      if (hard) rows.push(reported(shape, percent(shaped)), reported(mask, ratio(overlap)));
      else rows.push(atLeast(shape, shaped, 0.95, percent), atLeast(mask, overlap, 0.8, ratio));
    }
    return rows;
  },
};
