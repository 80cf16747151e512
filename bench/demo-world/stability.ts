// How much steadier an edit by TokenFlow is than one frame by frame.

import { sampleMotions, type Sample } from '../../companion-server/src/demo/samples.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { measureTemporal, type TemporalMetrics } from '../../companion-server/src/metrics/temporal.ts';
import type { EditSettings, Propagation } from '../../protocol/edit-settings.ts';
import type { Editor } from './editor.ts';

/** What is compared with editing frame by frame, and the ratio of warp errors that it is held to on the hard clips. */
export const stabilityTrials: readonly {
  readonly label: string;
  readonly settings: Partial<EditSettings>;
  readonly target: number;
}[] = [
  {
    label: 'SDEdit, own noise per frame',
    settings: { technique: 'sdedit', initialNoise: 'own' },
    target: 0.8,
  },
  { label: 'Plug-and-Play', settings: {}, target: 0.95 },
];

/** Warp errors of the edited object along the exact flow, and flicker, for the clip's first target. */
export interface Stability {
  readonly tokenFlow: number;
  readonly perFrame: number;
  readonly flicker: { readonly tokenFlow: number; readonly perFrame: number };
}

/** Edits `frames` frames of the clip, or all, in both ways. */
export async function compareStability(
  editor: Editor,
  sample: Sample,
  frames: number | null,
  settings: Partial<EditSettings>,
): Promise<Stability> {
  const motions = await sampleMotions(sample);
  const prompt = sample.targets[0]?.prompt ?? sample.caption;
  const measure = async (propagation: Propagation): Promise<TemporalMetrics> => {
    const { file } = await editor.edit(sample, frames, { ...settings, propagation, prompt });
    const edited = decodeFrames(await probeClip(file));
    return measureTemporal(edited, motions);
  };
  const [tokenFlow, perFrame] = [await measure('paper'), await measure('per-frame')];
  return {
    tokenFlow: tokenFlow.objectWarpError,
    perFrame: perFrame.objectWarpError,
    flicker: { tokenFlow: tokenFlow.flicker, perFrame: perFrame.flicker },
  };
}
