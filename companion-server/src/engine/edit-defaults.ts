// What suits a model where the user chose nothing: `edit-defaults.json` in the checkpoint's folder, else what suits
// Stable Diffusion.

import path from 'node:path';
import { guidanceRange, maxSteps, referenceSchedule, type EditSettings } from '../../../protocol/edit-settings.ts';
import { EditError } from '../errors.ts';
import { readJsonObject } from '../weights/json-file.ts';

export interface EditDefaults {
  readonly guidance: number;
  readonly steps: number;
}

/** Settings in which nothing is left open. */
export type ChosenSettings = EditSettings & {
  readonly guidance: number;
  readonly steps: number;
  /** As many as are taken at first where `calibrates`. */
  readonly inversionSteps: number;
  /** Whether inversion steps are added until the clip is found again well enough. */
  readonly calibrates: boolean;
};

/**
 * Forwards of the inversion per sampling step. The official code takes ten. In the fast schedule two end in noise of unit
 * variance, as the network was trained on; and an inversion serves every further prompt.
 */
const inversionShare = { fast: 2, reference: referenceSchedule.inversionSteps / referenceSchedule.steps } as const;

/** Of the fast schedule. */
const stableDiffusion: EditDefaults = { guidance: 7.5, steps: 20 };

/** Throws EditError('model-damaged') when the file is there but not right. */
export async function readEditDefaults(modelDir: string): Promise<EditDefaults> {
  const file = path.join(modelDir, 'edit-defaults.json');
  const json = await readJsonObject(file).catch((error: unknown) => {
    if (error instanceof EditError && error.code === 'model-missing') return {};
    throw error;
  });
  return {
    guidance: readNumber(file, json, 'guidance', guidanceRange),
    steps: readNumber(file, json, 'steps', { min: 1, max: maxSteps, isWhole: true }),
  };
}

function readNumber(
  file: string,
  json: Readonly<Record<string, unknown>>,
  key: keyof EditDefaults,
  { min, max, isWhole = false }: { readonly min: number; readonly max: number; readonly isWhole?: boolean },
): number {
  const value = json[key] ?? stableDiffusion[key];
  const isRight = typeof value === 'number' && value >= min && value <= max;
  if (isRight && (!isWhole || Number.isInteger(value))) return value;
  const rule = `must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}`;
  throw new EditError('model-damaged', `${file}: ${key} ${rule}, got ${JSON.stringify(value)}.`);
}

/**
 * Fills what the user left open; a preview takes half of the steps, with one forward of the inversion for each. Throws EditError('invalid-request') when inversion
 * steps don't fit the steps.
 */
export function chooseSettings(settings: EditSettings, defaults: EditDefaults): ChosenSettings {
  const isReference = settings.schedule === 'reference';
  const whole = settings.steps ?? (isReference ? referenceSchedule.steps : defaults.steps);
  const usual = Math.min(maxSteps - (maxSteps % whole), inversionShare[settings.schedule] * whole);
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
    guidance: settings.guidance ?? defaults.guidance,
  };
  return settings.preview ? previewOf(chosen) : chosen;
}

/** The settings of the preview of an edit. */
export function previewOf(edit: ChosenSettings): ChosenSettings {
  const steps = Math.ceil(edit.steps / 2);
  return { ...edit, preview: true, steps, inversionSteps: steps, calibrates: false };
}
