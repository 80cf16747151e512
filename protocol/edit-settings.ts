// What an edit is asked to do. Shared by the panel, the wire, the command line and the engine.

import { FieldError, readFields, type FieldReader } from './fields.ts';
import { maxPromptCharacters } from './limits.ts';
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
export const noises = ['inversion', 'shared', 'own'] as const;
export type Noise = (typeof noises)[number];

/**
 * How the work is done. `fast`: few steps, and where propagation is `paper` the source's correspondences are found once,
 * during the inversion, and used again in sampling. `reference`: the source's branch is computed for every frame at every
 * step, as the official code does.
 */
export const scheduleNames = ['fast', 'reference'] as const;
export type ScheduleName = (typeof scheduleNames)[number];

export const outputCodecs = ['prores', 'h264'] as const;
export type OutputCodec = (typeof outputCodecs)[number];

/** `keep`: the result has the clip's sound. `none`: it has no sound, for a place where that is heard already. */
export const sounds = ['keep', 'none'] as const;
export type Sound = (typeof sounds)[number];

/**
 * What a result that is larger than the model works at looks like. `source`: fine detail is the clip's own wherever the edit
 * left the structure alone. `none`: the edited picture is scaled up.
 */
export const details = ['source', 'none'] as const;
export type Detail = (typeof details)[number];

/** The file extension that belongs to each codec, with its dot. */
export const codecExtensions = { prores: '.mov', h264: '.mp4' } as const satisfies Record<OutputCodec, string>;

export interface EditSettings {
  /** What the clip should become. Not empty. */
  readonly prompt: string;
  /** What the clip shows now; improves the inversion. May be empty. */
  readonly sourcePrompt: string;
  /** What to avoid. May be empty. */
  readonly negativePrompt: string;
  /** The name of one of techniques.ts: how the source's structure is kept. */
  readonly technique: string;
  readonly schedule: ScheduleName;
  readonly propagation: Propagation;
  /** `inversion` unless the technique may begin elsewhere. */
  readonly noise: Noise;
  /** 0 keeps the structure most, 1 follows the prompt most. */
  readonly strength: number;
  /** Classifier-free guidance scale, 1..30; 1 means no guidance. null: what suits the model. */
  readonly guidance: number | null;
  /** Sampling steps, 1..1000. null: what suits the model and the schedule. */
  readonly steps: number | null;
  /**
   * Forwards of the network that the inversion of a frame takes, a multiple of `steps`, up to 1000. null: as many as are
   * needed to find the clip again.
   */
  readonly inversionSteps: number | null;
  /** One keyframe is drawn from each run of this many frames, 1..64. */
  readonly keyframeInterval: number;
  /**
   * 0..2^32-1. Equal seeds on the same device give equal frames. Another seed needs no other inversion; where an edit begins
   * from the inverted clip, 0 leaves it as it is.
   */
  readonly seed: number;
  /** Working size in pixels, or null for the largest that fits the model's training size. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** First second of the clip to edit, and the second to stop before; null for the clip's own ends. */
  readonly startSeconds: number | null;
  readonly endSeconds: number | null;
  readonly codec: OutputCodec;
  readonly sound: Sound;
  readonly detail: Detail;
  /** Edits the keyframes alone: the result is a clip of just these, in their order. */
  readonly preview: boolean;
}

export const maxSteps = 1_000;
export const guidanceRange = { min: 1, max: 30 } as const;
export const maxKeyframeInterval = 64;
/** Pixels of one side of the working size. */
export const sizeRange = { min: 64, max: 2_048 } as const;
/** A day. No clip on a timeline is longer. */
const maxSeconds = 86_400;
const maxSeed = 2 ** 32 - 1;

/** The settings of an edit of which only prompt and technique are chosen. The prompt is still empty. */
export function defaultSettings(technique: string = usualTechnique): EditSettings {
  return {
    prompt: '',
    sourcePrompt: '',
    negativePrompt: '',
    technique,
    schedule: 'fast',
    propagation: 'paper',
    noise: 'inversion',
    strength: techniqueInfo(technique).strength,
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
    detail: 'source',
    preview: false,
  };
}

/** The official code's schedule: 500 inversion and 50 sampling steps, guidance 7.5, its own propagation. */
export const referenceSchedule = {
  schedule: 'reference',
  propagation: 'reference',
  guidance: 7.5,
  steps: 50,
  inversionSteps: 500,
} as const satisfies Partial<EditSettings>;

/** Checks every field. Throws FieldError that names the field below `path`, its rule and the value. */
export function parseEditSettings(value: unknown, path = 'settings'): EditSettings {
  const fields = readFields(value, path, Object.keys(defaultSettings()));
  const steps = fields.nullable('steps', () => fields.integer('steps', 1, maxSteps));
  const startSeconds = fields.nullable('startSeconds', () => fields.number('startSeconds', 0, maxSeconds));
  const technique = fields.oneOf('technique', techniqueNames);
  return {
    prompt: readMainPrompt(fields),
    sourcePrompt: readPrompt(fields, 'sourcePrompt'),
    negativePrompt: readPrompt(fields, 'negativePrompt'),
    technique,
    schedule: fields.oneOf('schedule', scheduleNames),
    propagation: fields.oneOf('propagation', propagations),
    noise: readNoise(fields, technique),
    strength: fields.number('strength', 0, 1),
    guidance: fields.nullable('guidance', () => fields.number('guidance', guidanceRange.min, guidanceRange.max)),
    steps,
    inversionSteps: fields.nullable('inversionSteps', () => readInversionSteps(fields, steps)),
    keyframeInterval: fields.integer('keyframeInterval', 1, maxKeyframeInterval),
    seed: fields.integer('seed', 0, maxSeed),
    size: fields.nullable('size', () => readSize(fields)),
    startSeconds,
    endSeconds: fields.nullable('endSeconds', () => readEndSeconds(fields, startSeconds)),
    codec: fields.oneOf('codec', outputCodecs),
    sound: fields.oneOf('sound', sounds),
    detail: fields.oneOf('detail', details),
    preview: fields.flag('preview'),
  };
}

function readMainPrompt(fields: FieldReader): string {
  const prompt = readPrompt(fields, 'prompt');
  if (prompt.trim() === '') {
    throw new FieldError(`${fields.path}.prompt`, 'is empty; say what the clip should become.', 'prompt-empty');
  }
  return prompt;
}

function readPrompt(fields: FieldReader, key: string): string {
  const prompt = fields.text(key, { max: Number.MAX_SAFE_INTEGER });
  if (prompt.length > maxPromptCharacters) {
    throw new FieldError(
      `${fields.path}.${key}`,
      `must have at most ${maxPromptCharacters} characters, got ${prompt.length}.`,
      'prompt-too-long',
    );
  }
  return prompt;
}

function readNoise(fields: FieldReader, technique: string): Noise {
  const noise = fields.oneOf('noise', noises);
  if (noise !== 'inversion' && !techniqueInfo(technique).choosesNoise) {
    const those = techniqueInfos.filter(({ choosesNoise }) => choosesNoise).map(({ name }) => name);
    throw new FieldError(
      `${fields.path}.noise`,
      `must be inversion unless the technique is ${those.join(' or ')}, got ${noise} with ${technique}.`,
    );
  }
  return noise;
}

function readInversionSteps(fields: FieldReader, steps: number | null): number {
  const inversionSteps = fields.integer('inversionSteps', 1, maxSteps);
  if (steps !== null && inversionSteps % steps !== 0) {
    throw new FieldError(
      `${fields.path}.inversionSteps`,
      `must be a multiple of the ${steps} sampling steps, got ${inversionSteps}.`,
    );
  }
  return inversionSteps;
}

function readSize(fields: FieldReader): { width: number; height: number } {
  const size = fields.object('size', ['width', 'height']);
  return {
    width: size.integer('width', sizeRange.min, sizeRange.max),
    height: size.integer('height', sizeRange.min, sizeRange.max),
  };
}

function readEndSeconds(fields: FieldReader, startSeconds: number | null): number {
  const endSeconds = fields.number('endSeconds', 0, maxSeconds);
  if (endSeconds <= (startSeconds ?? 0)) {
    throw new FieldError(
      `${fields.path}.endSeconds`,
      `must be after the start at ${startSeconds ?? 0} seconds, got ${endSeconds}.`,
    );
  }
  return endSeconds;
}
