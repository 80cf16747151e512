// The defaults for settings that the user left open: `edit-defaults.json` in the checkpoint's folder, else the defaults
// of its family.

import path from 'node:path';
import type { InversionMethod } from '../../tokenflow/inversion.ts';
import {
  guidanceBases,
  guidanceRange,
  maxSteps,
  referencePipeline,
  type EditSettings,
  type GuidanceBase,
} from '../../../../protocol/edit-settings.ts';
import {
  FieldError,
  integer,
  nullable,
  number,
  oneOf,
  openObject,
  optional,
  parse,
} from '../../../../protocol/fields.ts';
import { EditError } from '../../errors.ts';
import type { EditDefaults } from '../../families/family.ts';
import { readJsonObject } from '../../weights/json-file.ts';

/** Settings in which nothing is left open. */
export type ChosenSettings = EditSettings & {
  readonly guideBy: GuidanceBase;
  readonly guidance: number;
  readonly steps: number;
  /** If `calibrates`, the number of the first try. */
  readonly inversionSteps: number;
  /** Whether inversion steps are added until the clip is found again well enough. */
  readonly calibrates: boolean;
  readonly inversion: InversionMethod['name'];
};

/**
 * Forwards of the inversion per sampling step. The official code takes ten. In the fast pipeline two end in noise of unit
 * variance, as the network was trained on; and an inversion serves every further prompt.
 */
const inversionShare = {
  ddim: referencePipeline.inversionSteps / referencePipeline.steps,
  'fixed-point': 2,
  noised: 1,
} as const satisfies Record<InversionMethod['name'], number>;

/**
 * The scale of guidance away from the source prompt where the model names none: the two predictions differ in what the
 * prompts say differently only, which a larger scale exaggerates.
 */
const usualSourceGuidance = 3;

/** Of the draft pipeline: the most with at most 12 evaluations of the network per frame. */
const draftSteps = 5;

/** The values in the file; a value that is left out or null is the family's. */
const defaultsFile = openObject({
  guidance: optional(nullable(number(guidanceRange.min, guidanceRange.max))),
  guideBy: optional(nullable(oneOf(guidanceBases))),
  sourceGuidance: optional(nullable(number(guidanceRange.min, guidanceRange.max))),
  steps: optional(nullable(integer(1, maxSteps))),
});

/**
 * Steps are those of the fast pipeline. Throws EditError('model-damaged') when the file is there but not right.
 * @param usual the family's, or those of a LoRA of few steps, which know better than the file of the checkpoint
 */
export async function readEditDefaults(modelDir: string, usual: EditDefaults): Promise<EditDefaults> {
  if (usual.fewSteps === 'lora') return usual;
  const file = path.join(modelDir, 'edit-defaults.json');
  const json = await readJsonObject(file).catch((error: unknown) => {
    if (error instanceof EditError && error.code === 'model-missing') return {};
    throw error;
  });
  try {
    const { guidance, steps, guideBy, sourceGuidance } = parse(defaultsFile, json, 'defaults');
    return {
      ...usual,
      guidance: guidance ?? usual.guidance,
      steps: steps ?? usual.steps,
      ...(guideBy == null ? {} : { guideBy }),
      ...(sourceGuidance == null ? {} : { sourceGuidance }),
    };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new EditError('model-damaged', `${file}: ${error.message}`, { cause: error });
  }
}

/**
 * Fills what the user left open. A preview takes half of the steps, with one forward of the inversion for each; where that
 * is no real inversion, it takes all of the few steps. Throws EditError('invalid-request') when inversion steps don't fit
 * the steps.
 * @param inversion other than the pipeline's own, where a measurement wants one
 */
export function chooseSettings(
  settings: EditSettings,
  defaults: EditDefaults,
  inversion: InversionMethod['name'] = inversionOf(settings, defaults),
): ChosenSettings {
  const whole = settings.steps ?? stepsOf(settings, defaults);
  const usual = Math.min(maxSteps - (maxSteps % whole), inversionShare[inversion] * whole);
  const wholeInversion = settings.inversionSteps ?? usual;
  if (wholeInversion % whole !== 0) {
    throw new EditError(
      'invalid-request',
      `The inversion steps must be a multiple of the ${whole} sampling steps, got ${wholeInversion}.`,
    );
  }
  if (inversion === 'noised' && wholeInversion !== whole) {
    const why = settings.pipeline === 'draft' ? 'in the draft pipeline' : 'for a model of few steps';
    throw new EditError(
      'invalid-request',
      `The inversion steps must be the ${whole} sampling steps ${why}, got ${wholeInversion}.`,
      { hint: 'Leave the inversion steps out.' },
    );
  }
  const guideBy = settings.guideBy ?? guideByOf(settings, defaults);
  const chosen = {
    ...settings,
    steps: whole,
    inversionSteps: wholeInversion,
    inversion,
    calibrates: settings.inversionSteps === null && inversion === 'fixed-point',
    guideBy,
    // At a scale of 1 the guided prediction is the prompt's own; models of few steps write 0 for it.
    guidance: Math.max(1, settings.guidance ?? (saysNothingNew(settings) ? 1 : guidanceOf(defaults, guideBy))),
  };
  return settings.preview ? previewOf(chosen) : chosen;
}

/**
 * Who writes a negative prompt wants it to be read, and without a source prompt there is nothing else to lead away from. The
 * reference pipeline is that of the official code.
 */
function guideByOf(
  { pipeline, sourcePrompt, negativePrompt }: EditSettings,
  { guideBy = 'negative' }: EditDefaults,
): GuidanceBase {
  const isOpen = pipeline !== 'reference' && negativePrompt.trim() === '' && sourcePrompt.trim() !== '';
  return isOpen ? guideBy : 'negative';
}

/** A model without guidance has none in any direction. */
function guidanceOf({ guidance, sourceGuidance = usualSourceGuidance }: EditDefaults, guideBy: GuidanceBase): number {
  return guideBy === 'negative' || guidance <= 1 ? guidance : sourceGuidance;
}

/** The prompt of an edit by given keyframes that repeats what the clip shows: guidance would undo what they change. */
export function saysNothingNew({
  keyframes = [],
  prompt,
  sourcePrompt,
}: Pick<EditSettings, 'keyframes' | 'prompt' | 'sourcePrompt'>): boolean {
  return keyframes.length > 0 && prompt.trim() === sourcePrompt.trim();
}

/** Networks that were distilled for few steps jump: the latents from which a step came cannot be found by iteration. */
function inversionOf({ pipeline }: EditSettings, { fewSteps }: EditDefaults): InversionMethod['name'] {
  if (pipeline === 'reference') return 'ddim';
  return pipeline === 'draft' || fewSteps !== undefined ? 'noised' : 'fixed-point';
}

function stepsOf({ pipeline }: EditSettings, { steps, fewSteps }: EditDefaults): number {
  switch (pipeline) {
    case 'fast':
      return steps;
    case 'draft':
      return Math.min(draftSteps, steps);
    case 'reference':
      return fewSteps === undefined ? referencePipeline.steps : steps;
  }
}

/** The settings of the preview of an edit. */
export function previewOf(edit: ChosenSettings): ChosenSettings {
  const steps = edit.inversion === 'noised' ? edit.steps : Math.ceil(edit.steps / 2);
  return { ...edit, preview: true, steps, inversionSteps: steps, calibrates: false };
}
