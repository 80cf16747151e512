// Presets: named values of the form, built-in and the user's own, and their exchange as JSON.

import { guidanceBases, guidanceRange, maxKeyframeInterval, maxSteps } from '../../../protocol/edit-settings.ts';
import { techniqueNames, usualTechnique } from '../../../protocol/techniques.ts';
import {
  FieldError,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  parse,
  text,
  type ObjectOf,
} from '../../../protocol/fields.ts';
import { maxPromptCharacters } from '../../../protocol/limits.ts';
import { nameStrength } from './earlier-names.ts';
import { panelPipelines, withChange, type EditForm } from './form.ts';

const words = nullable(text({ max: maxPromptCharacters }));

/** The values of a preset. Prompts that are null stay as they are, so that the preset suits any clip. */
const presetValues = {
  prompt: words,
  negativePrompt: words,
  strength: number(0, 1),
  technique: oneOf(techniqueNames),
  /** Files of earlier versions have none. */
  pipeline: optional(oneOf(panelPipelines)),
  steps: nullable(integer(1, maxSteps)),
  /** Files of earlier versions have none. */
  guideBy: optional(nullable(oneOf(guidanceBases))),
  guidance: nullable(number(guidanceRange.min, guidanceRange.max)),
  keyframeInterval: integer(1, maxKeyframeInterval),
};
export type PresetValues = ObjectOf<typeof presetValues>;

export interface Preset {
  readonly id: string;
  /** Of a built-in one the key of its name in the texts. */
  readonly name: string;
  readonly isBuiltIn: boolean;
  readonly values: PresetValues;
}

const noWords = { prompt: null, negativePrompt: null } as const;
const usual = { ...noWords, technique: usualTechnique, steps: null, guidance: null, keyframeInterval: 8 } as const;
const builtIn = (id: string, values: PresetValues): Preset => ({
  id,
  name: id,
  isBuiltIn: true,
  values,
});

export const builtInPresets: readonly Preset[] = [
  builtIn('recolour', { ...usual, strength: 0.3 }),
  builtIn('restyle', { ...usual, strength: 0.5 }),
  builtIn('transform', { ...usual, strength: 0.7 }),
  builtIn('draft', { ...usual, strength: 0.5, pipeline: 'draft' }),
  builtIn('careful', { ...usual, strength: 0.5, steps: 50, keyframeInterval: 4 }),
];

export function applyPreset(form: EditForm, { values }: Preset): EditForm {
  const { prompt, negativePrompt, ...others } = values;
  return withChange(form, {
    ...others,
    pipeline: others.pipeline ?? 'fast',
    guideBy: others.guideBy ?? null,
    prompt: prompt ?? form.prompt,
    negativePrompt: negativePrompt ?? form.negativePrompt,
  });
}

/** `form` as a preset of the user, with its prompts. */
export function presetOf(form: EditForm, id: string, name: string): Preset {
  const { prompt, negativePrompt, strength, technique, pipeline, steps, guideBy, guidance, keyframeInterval } = form;
  return {
    id,
    name,
    isBuiltIn: false,
    values: {
      strength,
      technique,
      pipeline,
      steps,
      guideBy,
      guidance,
      keyframeInterval,
      prompt: prompt.trim() === '' ? null : prompt.trim(),
      negativePrompt: negativePrompt.trim() === '' ? null : negativePrompt.trim(),
    },
  };
}

const format = 'tokenflow-presets';
/** In layout 1 the strength was called a dial. */
const layout = 2;
export const maxPresets = 200;
export const maxPresetName = 60;

/** Own presets as the text of a file. */
export function writePresets(presets: readonly Preset[]): string {
  const own = presets.filter(({ isBuiltIn }) => !isBuiltIn);
  const file = { format, layout, presets: own.map(({ name, values }) => ({ name, ...values })) };
  return `${JSON.stringify(file, null, 2)}\n`;
}

const presetFile = object({
  format: oneOf([format]),
  layout: integer(1, layout),
  presets: list(object({ name: text({ min: 1, max: maxPresetName }), ...presetValues }), maxPresets),
});

/** Reads such a text. `idOf` makes an id for each. Throws FieldError that names what is wrong. */
export function readPresets(text: string, idOf: (index: number) => string): readonly Preset[] {
  const { presets } = parse(presetFile, withNamesOfToday(parseJson(text)), 'file');
  return presets.map(({ name, ...values }, index) => ({ id: idOf(index), name, isBuiltIn: false, values }));
}

function withNamesOfToday(file: unknown): unknown {
  if (typeof file !== 'object' || file === null || !('presets' in file) || !Array.isArray(file.presets)) return file;
  return { ...file, presets: file.presets.map(nameStrength) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FieldError('file', 'must be JSON.');
  }
}
