// The settings of the user, as the panel holds them: a seed with a lock, and null for each setting that is left to the
// model.

import type { OutputCodec } from '../../../protocol/codecs.ts';
import {
  defaultSettings,
  type EditSettings,
  type GuidanceBase,
  type Pipeline,
} from '../../../protocol/edit-settings.ts';
import type { LoraChoice } from '../../../protocol/lora.ts';
import type { MaskSettings } from '../../../protocol/mask.ts';

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
  readonly guideBy: GuidanceBase | null;
  readonly guidance: number | null;
  readonly keyframeInterval: number;
  readonly seed: number;
  /** Unlocked: another seed is drawn after every edit. */
  readonly isSeedLocked: boolean;
  /** Id of a model; null for the server's first. */
  readonly model: string | null;
  readonly codec: OutputCodec;
  /** Writes the prompt into the result. */
  readonly writesPrompt: boolean;
  /** Keeps in the result where the clip was recorded. */
  readonly keepsLocation: boolean;
  /** In the order in which they are merged into the model. */
  readonly loras: readonly LoraChoice[];
  /** Of settings that were used again: those that have no control. Left out: the usual values. */
  readonly others: OtherSettings;
}

/** Settings that belong to one clip: the part of it, a mask, its frames that were edited by hand; and whether it is a preview. */
const taskSettings = [
  'startSeconds',
  'endSeconds',
  'mask',
  'keyframes',
  'preview',
] as const satisfies readonly (keyof EditSettings)[];
type TaskSetting = (typeof taskSettings)[number];
/** The pipeline is one of them where the panel does not offer it. */
type OtherSetting = Exclude<keyof EditSettings, keyof EditForm | TaskSetting> | 'pipeline';
export type OtherSettings = Partial<Pick<EditSettings, OtherSetting>>;

/** A change of one of these fields ends the setting: it was chosen together with the value before. */
const endedBy: Readonly<Record<OtherSetting, readonly (keyof EditForm)[]>> = {
  pipeline: ['pipeline'],
  propagation: ['pipeline'],
  initialNoise: ['technique'],
  inversionSteps: ['steps'],
  size: ['model'],
  vae: ['model'],
  sound: [],
  detail: [],
  modelColour: [],
  // Chosen for the model's family, and for what the clip shows.
  controls: ['model'],
  controlledFrames: ['model'],
};

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
    guideBy: null,
    guidance: null,
    keyframeInterval,
    seed: 0,
    isSeedLocked: false,
    model: null,
    codec,
    writesPrompt: false,
    keepsLocation: false,
    loras: [],
    others: {},
  };
}

/** The form after a change by the user. */
export function withChange(form: EditForm, change: Partial<EditForm>): EditForm {
  const next = { ...form, ...change };
  const isKept = (name: string): boolean => endedBy[name as OtherSetting].every((field) => next[field] === form[field]);
  return { ...next, others: only(next.others, isKept) };
}

/** The part of a clip that is edited, in seconds; null for all of it. */
export type ClipRange = { readonly startSeconds: number; readonly endSeconds: number } | null;

/** @param mask where the edit may change the clip; everywhere when left out */
export function toSettings(form: EditForm, range: ClipRange, mask?: MaskSettings): EditSettings {
  return {
    ...defaultSettings(form.technique),
    ...form.others,
    prompt: form.prompt.trim(),
    sourcePrompt: form.sourcePrompt.trim(),
    negativePrompt: form.negativePrompt.trim(),
    pipeline: form.others.pipeline ?? form.pipeline,
    strength: form.strength,
    steps: form.steps,
    guideBy: form.guideBy,
    guidance: form.guidance,
    keyframeInterval: form.keyframeInterval,
    seed: form.seed,
    codec: form.codec,
    writesPrompt: form.writesPrompt,
    keepsLocation: form.keepsLocation,
    loras: form.loras,
    startSeconds: range?.startSeconds ?? null,
    endSeconds: range?.endSeconds ?? null,
    ...(mask && { mask }),
  };
}

/**
 * The form that gives these settings again, but for `codec` and what a task decides; its seed is locked for this. Every
 * setting without a control is among the others.
 */
export function fromSettings(settings: EditSettings, model: string | null, codec: OutputCodec): EditForm {
  const { prompt, sourcePrompt, negativePrompt, technique, steps, guideBy, guidance, loras } = settings;
  const { writesPrompt, keepsLocation } = settings;
  const pipeline = panelPipelines.find((one) => one === settings.pipeline);
  const shown = {
    prompt,
    sourcePrompt,
    negativePrompt,
    technique,
    pipeline: pipeline ?? 'fast',
    steps,
    guideBy,
    guidance,
    model,
    codec,
    writesPrompt,
    keepsLocation,
    loras,
    strength: settings.strength,
    keyframeInterval: settings.keyframeInterval,
    seed: settings.seed,
    isSeedLocked: true,
  };
  const usual: Partial<Record<string, unknown>> = defaultSettings(technique);
  const others = only<Partial<EditSettings>>(
    settings,
    (name, value) => !(name in shown) && !taskSettings.some((one) => one === name) && value !== usual[name],
  );
  return { ...shown, others: pipeline === undefined ? { ...others, pipeline: settings.pipeline } : others };
}

/** The fields of a name and value that are wanted. */
function only<T extends object>(fields: T, isWanted: (name: string, value: unknown) => boolean): Partial<T> {
  const wanted = Object.entries(fields).filter(([name, value]: [string, unknown]) => isWanted(name, value));
  return Object.fromEntries(wanted) as Partial<T>;
}
