import { sampleMasks, type Sample, type SampleTarget } from '../../companion-server/src/demo/samples.ts';
import { atLeast, atMost, mean, percent, pixels, ratio, reported, share } from '../rows.ts';
import type { Gate, GateContext } from './gate.ts';
import { isPlaced, maskOverlap } from '../demo-world/judge.ts';
import { outlineDistance } from '../demo-world/outline.ts';
import { readFrames } from '../demo-world/pictures.ts';

/** An edit whose object is found less than this is one that lost it. */
const lostOverlap = 0.6;

/** What the judge sees in one frame of an edit. */
interface Look {
  readonly placed: boolean;
  readonly looked: boolean;
  readonly shaped: boolean;
  readonly overlap: number;
  /** In pixels of a picture of 256; null where no object is found. */
  readonly outline: number | null;
}

export const editsGate: Gate = {
  name: 'edits',
  title:
    'Edits of the sample clips by Plug-and-Play at default settings, 4 target prompts each; every frame counts by itself',
  isQuick: true,
  async run(context) {
    const { judge, samples, isQuick, editedFrames, sheets } = context;
    const edits: (readonly Look[])[] = [];
    const sourceOverlaps: number[] = [];
    for (const sample of isQuick ? samples.slice(0, 1) : samples) {
      const masks = await sampleMasks(sample);
      const frames = (await readFrames(sample.clipPath)).slice(0, editedFrames ?? sample.frames);
      const source = await judge.look(frames);
      sourceOverlaps.push(...source.map(({ mask }, i) => maskOverlap(mask, masks[i] ?? new Uint8Array())));
      const rows = [{ label: sample.caption, file: sample.clipPath }];
      for (const target of isQuick ? sample.targets.slice(0, 1) : sample.targets) {
        const { looks, file } = await lookAtEdit(context, sample, target, masks);
        edits.push(looks);
        rows.push({ label: target.prompt, file });
      }
      await sheets?.clips(`edits-${sample.name}`, rows);
    }
    const looks = edits.flat();
    const overlaps = edits.map((edit) => mean(edit.map(({ overlap }) => overlap)));
    const on = `, ${edits.length} of 24 edits, ${looks.length} frames`;
    const outlines = looks.flatMap(({ outline }) => (outline === null ? [] : [outline]));
    return [
      atLeast(
        `place, style, time and season right${on}`,
        share(looks, ({ placed }) => placed),
        0.97,
        percent,
      ),
      atLeast(
        `look of the object right${on}`,
        share(looks, ({ looked }) => looked),
        0.97,
        percent,
      ),
      reported(`object named right${on}`, percent(share(looks, ({ shaped }) => shaped))),
      atLeast(`object where it was (mask IoU)${on}`, mean(overlaps), 0.82, ratio),
      atLeast('the same, the least of the edits', Math.min(...overlaps), lostOverlap, ratio),
      reported(`edits below ${ratio(lostOverlap)}`, String(overlaps.filter((overlap) => overlap < lostOverlap).length)),
      atMost(`outline: distance of the object's edge from the source's, of 256${on}`, mean(outlines), 2.5, pixels),
      reported('mask IoU of the source clips: what the judge can reach', ratio(mean(sourceOverlaps))),
    ];
  },
};

async function lookAtEdit(
  { editor, judge, editedFrames, log }: GateContext,
  sample: Sample,
  target: SampleTarget,
  masks: readonly Uint8Array[],
): Promise<{ looks: readonly Look[]; file: string }> {
  const { prompt } = target;
  const { file } = await editor.edit(sample, editedFrames, { prompt });
  const verdicts = await judge.look(await readFrames(file));
  const looks = verdicts.map((verdict, i) => {
    const mask = masks[i] ?? new Uint8Array();
    const distance = outlineDistance(verdict.mask, mask, sample.width);
    return {
      placed: isPlaced(verdict, target),
      looked: verdict.judgedLook === target.look,
      shaped: verdict.object === target.object,
      overlap: maskOverlap(verdict.mask, mask) || 0,
      outline: distance === null ? null : (256 / sample.width) * distance,
    };
  });
  log(
    `${sample.name} -> ${prompt}: place and style ${percent(share(looks, ({ placed }) => placed))}, look ${percent(share(looks, ({ looked }) => looked))}, object ${percent(share(looks, ({ shaped }) => shaped))}, IoU ${ratio(mean(looks.map(({ overlap }) => overlap)))}`,
  );
  return { looks, file };
}
