// The clip under noise in place of its inversion, in the fast pipeline: what it saves, what its edits are worth, and what is
// left of the clip where nothing or little is asked for.

import type { InversionMethod } from '../../companion-server/src/tokenflow/inversion.ts';
import { psnr } from '../../companion-server/src/metrics/psnr.ts';
import type { EditSettings } from '../../protocol/edit-settings.ts';
import { readFrames } from '../demo-world/pictures.ts';
import { decibels, mean, reported } from '../rows.ts';
import { contest, describeOutcome } from './contest.ts';
import type { Figure, PipelineContext } from './figure.ts';
import { trialFrames } from './trials.ts';

const methods = ['fixed-point', 'noised'] as const satisfies readonly InversionMethod['name'][];

/** Edits to what the clip shows already. */
const unasked: Readonly<Record<string, Partial<EditSettings>>> = {
  'the usual settings': {},
  'SDEdit of strength 0.3': { technique: 'sdedit', strength: 0.3 },
  'no guidance, no technique, frame by frame': { guidance: 1, technique: 'none', propagation: 'per-frame' },
};

export const noisedSource: Figure = {
  name: 'noised-source',
  async measure(context) {
    const outcomes = await contest(
      context,
      methods.map((inversion) => ({ label: inversion, settings: {}, measured: { inversion } })),
    );
    const rows = outcomes.map((outcome) => {
      const value = describeOutcome(outcome, outcomes[0] ?? outcome);
      context.log(`${outcome.label}: ${value}`);
      return reported(`fast pipeline, ${outcome.label}`, value);
    });
    for (const [name, settings] of Object.entries(unasked)) {
      const found = [];
      for (const inversion of methods) found.push(await keptOf(context, settings, inversion));
      context.log(`${name}: ${found.map(decibels).join(' : ')}`);
      rows.push(reported(`the clip's own prompt, ${name}, ${methods.join(' : ')}`, found.map(decibels).join(' : ')));
    }
    return rows;
  },
};

/** PSNR of an edit to the clip's own caption with the clip, mean over all frames and clips. */
async function keptOf(
  { editor, samples }: PipelineContext,
  settings: Partial<EditSettings>,
  inversion: InversionMethod['name'],
): Promise<number> {
  const values: number[] = [];
  for (const sample of samples) {
    const { file } = await editor.edit(sample, trialFrames, { ...settings, prompt: sample.caption }, { inversion });
    const originals = await readFrames(sample.clipPath);
    values.push(...(await readFrames(file)).map((frame, i) => psnr(frame, originals[i] ?? frame)));
  }
  return mean(values);
}
