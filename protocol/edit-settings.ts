// The settings of an edit. Shared by the panel, the wire, the command line and the engine.

import { codecInfo, codecInfos, outputCodecs } from './codecs.ts';
import { controlChoices, controlledFrames } from './control.ts';
import {
  flag,
  integer,
  nullable,
  number,
  object,
  oneOf,
  optional,
  parse,
  text,
  where,
  withDefault,
  type Complaint,
  type Infer,
} from './fields.ts';
import { maxPromptCharacters } from './limits.ts';
import { givenKeyframes } from './given-keyframes.ts';
import { loraChoices } from './lora.ts';
import { hasWords, maskSettings } from './mask.ts';
import { vaeName } from './vae-name.ts';
import { techniqueInfo, techniqueInfos, techniqueNames, usualTechnique } from './techniques.ts';

/**
 * How keyframe tokens reach the other frames. `paper`: nearest keyframe before and after, true distances
 * (arXiv 2307.10373, section 4.2). `reference`: as the official code, own and previous keyframe. `per-frame`:
 * no propagation and no joint attention, the baseline that TokenFlow is compared with.
 */
export const propagations = ['paper', 'reference', 'per-frame'] as const;
export type Propagation = (typeof propagations)[number];

/**
 * Where SDEdit starts: from the latents that inversion found, or from the clip's own with noise of the seed, `shared` by
 * all frames or each frame's `own`.
 */
export const initialNoises = ['inversion', 'shared', 'own'] as const;
export type InitialNoise = (typeof initialNoises)[number];

/**
 * How the work is done. `fast`: few steps, and where propagation is `paper` the source's correspondences are found once,
 * during the inversion, and used again in sampling. `draft`: the same in a third of the evaluations: fewer steps, and the
 * clip under noise instead of its inversion. `reference`: the source's branch is computed for every frame at every step, as
 * the official code does.
 */
export const pipelines = ['fast', 'draft', 'reference'] as const;
export type Pipeline = (typeof pipelines)[number];

/**
 * What guidance leads away from. `negative`: the negative prompt, empty or not. `source`: the source prompt, so that only
 * what the prompts say differently is pressed on, and where they say the same the clip stays. `both`: halfway between them.
 */
export const guidanceBases = ['negative', 'source', 'both'] as const;
export type GuidanceBase = (typeof guidanceBases)[number];

/** `keep`: the result has the clip's sound. `none`: it has no sound, for a timeline that already has the clip's sound. */
export const sounds = ['keep', 'none'] as const;
export type Sound = (typeof sounds)[number];

/**
 * How a result that is larger than the working size is made. `source`: fine detail is the clip's own wherever the edit did
 * not change the structure. `none`: the edited picture is scaled up.
 */
export const details = ['source', 'none'] as const;
export type Detail = (typeof details)[number];

/**
 * How the model is shown clips of high dynamic range. `auto`: tone-mapped; the change is carried back into the clip's own
 * codes. `off`: their codes as they are, which look pale.
 */
export const modelColours = ['auto', 'off'] as const;
export type ModelColour = (typeof modelColours)[number];

export const maxSteps = 1_000;
/** Up to 1 there is no guidance. */
export const guidanceRange = { min: 0, max: 30 } as const;
export const maxKeyframeInterval = 64;
/** Pixels of one side of the working size. */
export const sizeRange = { min: 64, max: 2_048 } as const;
/** A day. No clip on a timeline is longer. */
const maxSeconds = 86_400;
const maxSeed = 2 ** 32 - 1;

const prompt = where(
  text({ max: Number.MAX_SAFE_INTEGER }),
  ({ length }) =>
    length <= maxPromptCharacters ? undefined : `must have at most ${maxPromptCharacters} characters, got ${length}.`,
  'prompt-too-long',
);

const mainPrompt = where(
  prompt,
  (words) => (words.trim() === '' ? 'is empty; say what the clip should become.' : undefined),
  'prompt-empty',
);

const side = integer(sizeRange.min, sizeRange.max);
const second = number(0, maxSeconds);

export const editSettings = where(
  object({
    /** What the clip should become. Not empty. */
    prompt: mainPrompt,
    /** What the clip shows now; improves the inversion. May be empty. */
    sourcePrompt: prompt,
    /** What to avoid. May be empty. */
    negativePrompt: prompt,
    /** The name of one of techniques.ts: how the source's structure is kept. */
    technique: oneOf(techniqueNames),
    pipeline: oneOf(pipelines),
    propagation: oneOf(propagations),
    /** `inversion` unless the technique may begin elsewhere. */
    initialNoise: oneOf(initialNoises),
    /** 0 keeps the structure most, 1 follows the prompt most. */
    strength: number(0, 1),
    /** null: `negative` where there is a negative prompt, else the model's default. */
    guideBy: withDefault(nullable(oneOf(guidanceBases)), null),
    /** Classifier-free guidance scale, 0..30; up to 1 there is no guidance. null: the model's default for `guideBy`. */
    guidance: nullable(number(guidanceRange.min, guidanceRange.max)),
    /** Sampling steps, 1..1000. null: the default of model and pipeline. */
    steps: nullable(integer(1, maxSteps)),
    /**
     * Forwards of the network in the inversion of a frame, a multiple of `steps`, up to 1000. null: as many as are
     * needed to reconstruct the clip.
     */
    inversionSteps: nullable(integer(1, maxSteps)),
    /** One keyframe is drawn from each run of this many frames, 1..64. */
    keyframeInterval: integer(1, maxKeyframeInterval),
    /**
     * 0..2^32-1. Equal seeds on the same device give equal frames. Another seed needs no other inversion; where an edit begins
     * from the inverted clip, 0 leaves it as it is.
     */
    seed: integer(0, maxSeed),
    /** Working size in pixels, or null for the largest that fits the model's training size. */
    size: nullable(object({ width: side, height: side })),
    /** First second of the clip to edit, and the second to stop before; null for the clip's own ends. */
    startSeconds: nullable(second),
    endSeconds: nullable(second),
    codec: oneOf(outputCodecs),
    sound: oneOf(sounds),
    /** Writes the prompt into the result, beside the mark that it was edited by AI. */
    writesPrompt: withDefault(flag, false),
    /** Keeps in the result where the clip was recorded. */
    keepsLocation: withDefault(flag, false),
    detail: oneOf(details),
    /** `auto` when left out. */
    modelColour: optional(oneOf(modelColours)),
    /** LoRA that change the model, in this order. Left out: none. */
    loras: withDefault(loraChoices, []),
    /** A VAE in place of the model's own, which is used when it is left out. */
    vae: optional(vaeName),
    /** ControlNets that guide the edit; none when left out. */
    controls: optional(controlChoices),
    /** Which frames they guide; `keyframes` when left out. */
    controlledFrames: optional(oneOf(controlledFrames)),
    /** Where the edit may change the clip; everywhere when left out. */
    mask: optional(maskSettings),
    /** Frames that were edited by hand; none when left out. */
    keyframes: optional(givenKeyframes),
    /** Edits the keyframes alone: the result is a clip of just these, in their order. */
    preview: flag,
  }),
  ({
    initialNoise,
    technique,
    steps,
    inversionSteps,
    startSeconds,
    endSeconds,
    loras,
    mask,
    codec,
    propagation,
    sourcePrompt,
    keyframes = [],
  }): Complaint | undefined => {
    const twice = loras.findIndex(({ name }, i) => loras.findIndex((one) => one.name === name) !== i);
    if (twice !== -1) {
      return { at: ['loras', twice, 'name'], text: `must not be named twice, got '${loras[twice]?.name ?? ''}'.` };
    }
    if (initialNoise !== 'inversion' && !techniqueInfo(technique).choosesInitialNoise) {
      const those = techniqueInfos.filter(({ choosesInitialNoise }) => choosesInitialNoise).map(({ name }) => name);
      return {
        at: ['initialNoise'],
        text: `must be inversion unless the technique is ${those.join(' or ')}, got ${initialNoise} with ${technique}.`,
      };
    }
    if (keyframes.length > 0 && propagation !== 'paper') {
      return { at: ['propagation'], text: `must be paper where keyframes are given, got ${propagation}.` };
    }
    if (mask?.asAlpha === true && !codecInfo(codec).hasAlpha) {
      const those = codecInfos.filter(({ hasAlpha }) => hasAlpha).map(({ name }) => name);
      return { at: ['mask', 'asAlpha'], text: `needs a codec that keeps alpha (${those.join(', ')}), got ${codec}.` };
    }
    if (mask?.words !== undefined && !hasWords(sourcePrompt, mask.words)) {
      const text = `must be in the source prompt, '${sourcePrompt}', got '${mask.words}'.`;
      return { at: ['mask', 'words'], text };
    }
    if (steps !== null && inversionSteps !== null && inversionSteps % steps !== 0) {
      return {
        at: ['inversionSteps'],
        text: `must be a multiple of the ${steps} sampling steps, got ${inversionSteps}.`,
      };
    }
    if (endSeconds !== null && endSeconds <= (startSeconds ?? 0)) {
      return {
        at: ['endSeconds'],
        text: `must be after the start at ${startSeconds ?? 0} seconds, got ${endSeconds}.`,
      };
    }
    return undefined;
  },
);
export type EditSettings = Infer<typeof editSettings>;

/** SHA-256 of the files that the settings name: a matte, keyframes. */
export function uploadsOf({ mask, keyframes = [] }: EditSettings): readonly string[] {
  return [...(mask?.matte === undefined ? [] : [mask.matte]), ...keyframes].map(({ sha256 }) => sha256);
}

/** The settings of an edit of which only prompt and technique are chosen. The prompt is still empty. */
export function defaultSettings(technique: string = usualTechnique): EditSettings {
  return {
    prompt: '',
    sourcePrompt: '',
    negativePrompt: '',
    technique,
    pipeline: 'fast',
    propagation: 'paper',
    initialNoise: 'inversion',
    strength: techniqueInfo(technique).strength,
    guideBy: null,
    guidance: null,
    steps: null,
    inversionSteps: null,
    keyframeInterval: 8,
    seed: 0,
    size: null,
    startSeconds: null,
    endSeconds: null,
    codec: 'prores',
    sound: 'keep',
    writesPrompt: false,
    keepsLocation: false,
    detail: 'source',
    loras: [],
    preview: false,
  };
}

/** The official code's settings: 500 inversion and 50 sampling steps, guidance 7.5, its own propagation. */
export const referencePipeline = {
  pipeline: 'reference',
  propagation: 'reference',
  guideBy: 'negative',
  guidance: 7.5,
  steps: 50,
  inversionSteps: 500,
} as const satisfies Partial<EditSettings>;

/** Checks every field. Throws FieldError that names the field below `path`, its rule and the value. */
export function parseEditSettings(value: unknown, path = 'settings'): EditSettings {
  return parse(editSettings, value, path);
}
