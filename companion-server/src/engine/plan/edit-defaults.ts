// The defaults for settings that the user left open: `edit-defaults.json` in the checkpoint's folder, else the defaults
// of its family.

import path from 'node:path';
import { guidanceRange, maxSteps, referencePipeline, type EditSettings } from '../../../../protocol/edit-settings.ts';
import { FieldError, integer, nullable, number, openObject, optional, parse } from '../../../../protocol/fields.ts';
import { EditError } from '../../errors.ts';
import type { EditDefaults } from '../../families/family.ts';
import { readJsonObject } from '../../weights/json-file.ts';

/** Settings in which nothing is left open. */
export type ChosenSettings = EditSettings & {
  readonly guidance: number;
  readonly steps: number;
  /** If `calibrates`, the number of the first try. */
  readonly inversionSteps: number;
  /** Whether inversion steps are added until the clip is found again well enough. */
  readonly calibrates: boolean;
};

/**
 * Forwards of the inversion per sampling step. The official code takes ten. In the fast pipeline two end in noise of unit
 * variance, as the network was trained on; and an inversion serves every further prompt.
 */
const inversionShare = { fast: 2, reference: referencePipeline.inversionSteps / referencePipeline.steps } as const;

/** The values in the file; a value that is left out or null is the family's. */
const defaultsFile = openObject({
  guidance: optional(nullable(number(guidanceRange.min, guidanceRange.max))),
  steps: optional(nullable(integer(1, maxSteps))),
});

/**
 * Steps are those of the fast pipeline. Throws EditError('model-damaged') when the file is there but not right.
 * @param usual the family's
 */
export async function readEditDefaults(modelDir: string, usual: EditDefaults): Promise<EditDefaults> {
  const file = path.join(modelDir, 'edit-defaults.json');
  const json = await readJsonObject(file).catch((error: unknown) => {
    if (error instanceof EditError && error.code === 'model-missing') return {};
    throw error;
  });
  try {
    const { guidance, steps } = parse(defaultsFile, json, 'defaults');
    return { guidance: guidance ?? usual.guidance, steps: steps ?? usual.steps };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new EditError('model-damaged', `${file}: ${error.message}`, { cause: error });
  }
}

/**
 * Fills what the user left open; a preview takes half of the steps, with one forward of the inversion for each. Throws EditError('invalid-request') when inversion
 * steps don't fit the steps.
 */
export function chooseSettings(settings: EditSettings, defaults: EditDefaults): ChosenSettings {
  const isReference = settings.pipeline === 'reference';
  const whole = settings.steps ?? (isReference ? referencePipeline.steps : defaults.steps);
  const usual = Math.min(maxSteps - (maxSteps % whole), inversionShare[settings.pipeline] * whole);
  const wholeInversion = settings.inversionSteps ?? usual;
  if (wholeInversion % whole !== 0) {
    throw new EditError(
      'invalid-request',
      `The inversion steps must be a multiple of the ${whole} sampling steps, got ${wholeInversion}.`,
    );
  }
  const chosen = {
    ...settings,
    steps: whole,
    inversionSteps: wholeInversion,
    calibrates: settings.inversionSteps === null && !isReference,
    // At a scale of 1 the guided prediction is the prompt's own; models of few steps write 0 for it.
    guidance: Math.max(1, settings.guidance ?? defaults.guidance),
  };
  return settings.preview ? previewOf(chosen) : chosen;
}

/** The settings of the preview of an edit. */
export function previewOf(edit: ChosenSettings): ChosenSettings {
  const steps = Math.ceil(edit.steps / 2);
  return { ...edit, preview: true, steps, inversionSteps: steps, calibrates: false };
}
