import { sampleMasks } from '../../companion-server/src/demo/samples.ts';
import { atLeast, mean, percent, ratio, reported, share } from '../rows.ts';
import type { Gate } from './gate.ts';
import { maskOverlap } from '../demo-world/judge.ts';
import { readFrames } from '../demo-world/pictures.ts';

export const editsGate: Gate = {
  name: 'edits',
  title:
    'Edits of the sample clips by Plug-and-Play at default settings, 4 target prompts each; every frame counts by itself',
  isQuick: true,
  async run({ editor, judge, samples, isQuick, editedFrames, sheets, log }) {
    const looks: { placed: boolean; coloured: boolean; shaped: boolean; overlap: number }[] = [];
    const sourceOverlaps: number[] = [];
    let edits = 0;
    for (const sample of isQuick ? samples.slice(0, 1) : samples) {
      const masks = await sampleMasks(sample);
      const frames = (await readFrames(sample.clipPath)).slice(0, editedFrames ?? sample.frames);
      const source = await judge.look(frames);
      sourceOverlaps.push(...source.map(({ mask }, i) => maskOverlap(mask, masks[i] ?? new Uint8Array())));
      const rows = [{ label: sample.caption, file: sample.clipPath }];
      for (const target of isQuick ? sample.targets.slice(0, 1) : sample.targets) {
        const { prompt } = target;
        const { file } = await editor.edit(sample, editedFrames, { prompt });
        const verdicts = await judge.look(await readFrames(file));
        const here = verdicts.map((verdict, i) => ({
          placed: verdict.place === target.place && verdict.style === target.style,
          coloured: verdict.hueLook === target.look,
          shaped: verdict.object === target.object,
          overlap: maskOverlap(verdict.mask, masks[i] ?? new Uint8Array()),
        }));
        log(
          `${sample.name} -> ${prompt}: background and style ${percent(share(here, (look) => look.placed))}, colour ${percent(share(here, (look) => look.coloured))}, shape ${percent(share(here, (look) => look.shaped))}, IoU ${ratio(mean(here.map((look) => look.overlap)))}`,
        );
        looks.push(...here);
        rows.push({ label: prompt, file });
        edits++;
      }
      await sheets?.clips(`edits-${sample.name}`, rows);
    }
    const on = `, ${edits} of 24 edits, ${looks.length} frames`;
    return [
      atLeast(
        `background and style right${on}`,
        share(looks, (look) => look.placed),
        0.95,
        percent,
      ),
      atLeast(
        `object colour right${on}`,
        share(looks, (look) => look.coloured),
        0.9,
        percent,
      ),
      atLeast(`object still where it was (mask IoU)${on}`, mean(looks.map((look) => look.overlap)), 0.7, ratio),
      reported('the same of the source clips: what the judge can reach', ratio(mean(sourceOverlaps))),
    ];
  },
};
