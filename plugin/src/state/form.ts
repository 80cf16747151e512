// The settings of the user, as the panel holds them: a seed with a lock, and null for each setting that is left to the
// model.

import { type OutputCodec } from '../../../protocol/codecs.ts';
import { defaultSettings, type EditSettings, type Pipeline } from '../../../protocol/edit-settings.ts';
import type { LoraChoice } from '../../../protocol/lora.ts';

export interface EditForm {
  readonly prompt: string;
  readonly sourcePrompt: string;
  readonly negativePrompt: string;
  /** 0 keeps the structure most, 1 follows the prompt most. */
  readonly strength: number;
  /** The name of one of protocol/techniques.ts. */
  readonly technique: string;
  /** The reference pipeline is for comparisons; the command line has it. */
  readonly pipeline: PanelPipeline;
  readonly steps: number | null;
  readonly guidance: number | null;
  readonly keyframeInterval: number;
  readonly seed: number;
  /** Unlocked: another seed is drawn after every edit. */
  readonly isSeedLocked: boolean;
  /** Id of a model; null for the server's first. */
  readonly model: string | null;
  readonly codec: OutputCodec;
  /** In the order in which they are merged into the model. */
  readonly loras: readonly LoraChoice[];
}

export const panelPipelines = ['fast', 'draft'] as const satisfies readonly Pipeline[];
export type PanelPipeline = (typeof panelPipelines)[number];

/** Named strengths, from left to right. */
export const strengthStops = [
  { at: 0.1, name: 'hold' },
  { at: 0.3, name: 'keep' },
  { at: 0.5, name: 'balance' },
  { at: 0.7, name: 'follow' },
  { at: 0.9, name: 'free' },
] as const;
export type StrengthStop = (typeof strengthStops)[number]['name'];

export function nearestStop(strength: number): StrengthStop {
  const [first, ...others] = strengthStops;
  return others.reduce<(typeof strengthStops)[number]>(
    (best, stop) => (Math.abs(stop.at - strength) < Math.abs(best.at - strength) ? stop : best),
    first,
  ).name;
}

export function emptyForm(codec: OutputCodec): EditForm {
  const { strength, technique, keyframeInterval } = defaultSettings();
  return {
    prompt: '',
    sourcePrompt: '',
    negativePrompt: '',
    strength: strength,
    technique,
    pipeline: 'fast',
    steps: null,
    guidance: null,
    keyframeInterval,
    seed: 0,
    isSeedLocked: false,
    model: null,
    codec,
    loras: [],
  };
}

/** The part of a clip that is edited, in seconds; null for all of it. */
export type ClipRange = { readonly startSeconds: number; readonly endSeconds: number } | null;

export function toSettings(form: EditForm, range: ClipRange): EditSettings {
  return {
    ...defaultSettings(form.technique),
    prompt: form.prompt.trim(),
    sourcePrompt: form.sourcePrompt.trim(),
    negativePrompt: form.negativePrompt.trim(),
    pipeline: form.pipeline,
    strength: form.strength,
    steps: form.steps,
    guidance: form.guidance,
    keyframeInterval: form.keyframeInterval,
    seed: form.seed,
    codec: form.codec,
    loras: form.loras,
    startSeconds: range?.startSeconds ?? null,
    endSeconds: range?.endSeconds ?? null,
  };
}

/** The form that gives these settings again; its seed is locked for this. */
export function fromSettings(settings: EditSettings, model: string | null, codec: OutputCodec): EditForm {
  const { prompt, sourcePrompt, negativePrompt, technique, steps, guidance, loras } = settings;
  return {
    prompt,
    sourcePrompt,
    negativePrompt,
    technique,
    pipeline: settings.pipeline === 'draft' ? 'draft' : 'fast',
    steps,
    guidance,
    model,
    codec,
    loras,
    strength: settings.strength,
    keyframeInterval: settings.keyframeInterval,
    seed: settings.seed,
    isSeedLocked: true,
  };
}
