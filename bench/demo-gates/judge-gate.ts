import { sampleMasks } from '../../companion-server/src/demo/samples.ts';
import { atLeast, mean, percent, ratio, share, type Gate } from './gate.ts';
import { maskOverlap } from './judge.ts';
import { readFrames, spread } from './pictures.ts';

export const judgeGate: Gate = {
  name: 'judge',
  title:
    'The judge itself, on frames of the sample clips as they are: what all other gates lean on',
  isQuick: true,
  async run({ judge, samples, isQuick, log }) {
    const looks: { named: boolean; coloured: boolean; overlap: number }[] = [];
    for (const sample of samples) {
      const masks = await sampleMasks(sample);
      const frames = spread(await readFrames(sample.clipPath), isQuick ? 4 : sample.frames);
      const verdicts = await judge.look(frames);
      const here = verdicts.map((verdict, i) => ({
        named:
          verdict.object === sample.object &&
          verdict.background === sample.background &&
          verdict.style === sample.style,
        coloured: verdict.hueColour === sample.colour,
        overlap: maskOverlap(verdict.mask, masks[frames[i]?.index ?? 0] ?? new Uint8Array()),
      }));
      log(`${sample.name}: named ${percent(share(here, (look) => look.named))}, mask IoU ${ratio(mean(here.map((look) => look.overlap)))}`); // prettier-ignore
      looks.push(...here);
    }
    const on = `, ${looks.length} source frames`;
    return [
      atLeast(`object, background and style named${on}`, share(looks, (look) => look.named), 0.95, percent), // prettier-ignore
      atLeast(
        `colour by the hue rule${on}`,
        share(looks, (look) => look.coloured),
        0.95,
        percent,
      ),
      atLeast(`IoU of its mask with the exact one${on}`, mean(looks.map((look) => look.overlap)), 0.8, ratio), // prettier-ignore
    ];
  },
};
