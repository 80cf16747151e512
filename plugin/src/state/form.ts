// What a person asks for, as the panel holds it: one dial instead of a strength, a seed with a lock, and null wherever the
// model's own choice is taken.

import { defaultSettings, type EditSettings, type OutputCodec } from '../../../protocol/edit-settings.ts';

export interface EditForm {
  readonly prompt: string;
  readonly sourcePrompt: string;
  readonly negativePrompt: string;
  /** 0 keeps the structure most, 1 follows the prompt most. */
  readonly dial: number;
  /** The name of one of protocol/techniques.ts. */
  readonly technique: string;
  readonly steps: number | null;
  readonly guidance: number | null;
  readonly keyframeInterval: number;
  readonly seed: number;
  /** Unlocked: another seed is drawn after every edit. */
  readonly isSeedLocked: boolean;
  /** Id of a model; null for the server's first. */
  readonly model: string | null;
  readonly codec: OutputCodec;
}

/** Named stops of the dial, from left to right. */
export const dialStops = [
  { at: 0.1, name: 'hold' },
  { at: 0.3, name: 'keep' },
  { at: 0.5, name: 'balance' },
  { at: 0.7, name: 'follow' },
  { at: 0.9, name: 'free' },
] as const;
export type DialStop = (typeof dialStops)[number]['name'];

export function nearestStop(dial: number): DialStop {
  const [first, ...others] = dialStops;
  return others.reduce<(typeof dialStops)[number]>(
    (best, stop) => (Math.abs(stop.at - dial) < Math.abs(best.at - dial) ? stop : best),
    first,
  ).name;
}

export function emptyForm(codec: OutputCodec): EditForm {
  const { strength, technique, keyframeInterval } = defaultSettings();
  return {
    prompt: '',
    sourcePrompt: '',
    negativePrompt: '',
    dial: strength,
    technique,
    steps: null,
    guidance: null,
    keyframeInterval,
    seed: 0,
    isSeedLocked: false,
    model: null,
    codec,
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
    strength: form.dial,
    steps: form.steps,
    guidance: form.guidance,
    keyframeInterval: form.keyframeInterval,
    seed: form.seed,
    codec: form.codec,
    startSeconds: range?.startSeconds ?? null,
    endSeconds: range?.endSeconds ?? null,
  };
}

/** The form that would make these settings again; its seed is locked, so that it does. */
export function fromSettings(settings: EditSettings, model: string | null, codec: OutputCodec): EditForm {
  const { prompt, sourcePrompt, negativePrompt, technique, steps, guidance } = settings;
  return {
    prompt,
    sourcePrompt,
    negativePrompt,
    technique,
    steps,
    guidance,
    model,
    codec,
    dial: settings.strength,
    keyframeInterval: settings.keyframeInterval,
    seed: settings.seed,
    isSeedLocked: true,
  };
}
