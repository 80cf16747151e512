// Presets: named values of the form, the panel's own and those of people, and their exchange as JSON.

import { techniqueNames, usualTechnique } from '../../../protocol/techniques.ts';
import { maxKeyframeInterval, maxSteps, guidanceRange } from '../../../protocol/edit-settings.ts';
import { FieldError, readFields, type FieldReader } from '../../../protocol/fields.ts';
import { maxPromptCharacters } from '../../../protocol/limits.ts';
import type { EditForm } from './form.ts';

/** What a preset sets. Words are left alone where they are null, so that it suits any clip. */
export interface PresetValues {
  readonly prompt: string | null;
  readonly negativePrompt: string | null;
  readonly dial: number;
  readonly technique: EditForm['technique'];
  readonly steps: number | null;
  readonly guidance: number | null;
  readonly keyframeInterval: number;
}

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
  builtIn('recolour', { ...usual, dial: 0.3 }),
  builtIn('restyle', { ...usual, dial: 0.5 }),
  builtIn('transform', { ...usual, dial: 0.7 }),
  builtIn('draft', { ...usual, dial: 0.5, steps: 10 }),
  builtIn('careful', { ...usual, dial: 0.5, steps: 50, keyframeInterval: 4 }),
];

export function applyPreset(form: EditForm, { values }: Preset): EditForm {
  const { prompt, negativePrompt, ...others } = values;
  return {
    ...form,
    ...others,
    prompt: prompt ?? form.prompt,
    negativePrompt: negativePrompt ?? form.negativePrompt,
  };
}

/** `form` as a preset of a person's own, with its words. */
export function presetOf(form: EditForm, id: string, name: string): Preset {
  const { prompt, negativePrompt, dial, technique, steps, guidance, keyframeInterval } = form;
  return {
    id,
    name,
    isBuiltIn: false,
    values: {
      dial,
      technique,
      steps,
      guidance,
      keyframeInterval,
      prompt: prompt.trim() === '' ? null : prompt.trim(),
      negativePrompt: negativePrompt.trim() === '' ? null : negativePrompt.trim(),
    },
  };
}

const format = 'tokenflow-presets';
const layout = 1;
export const maxPresets = 200;
export const maxPresetName = 60;

/** Own presets as the text of a file. */
export function writePresets(presets: readonly Preset[]): string {
  const own = presets.filter(({ isBuiltIn }) => !isBuiltIn);
  const file = { format, layout, presets: own.map(({ name, values }) => ({ name, ...values })) };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Reads such a text. `idOf` makes an id for each. Throws FieldError that names what is wrong. */
export function readPresets(text: string, idOf: (index: number) => string): readonly Preset[] {
  const file = readFields(parse(text), 'file', ['format', 'layout', 'presets']);
  file.oneOf('format', [format]);
  file.integer('layout', layout, layout);
  const keys = ['name', ...Object.keys(builtInPresets[0]?.values ?? {})];
  return file.objects('presets', maxPresets, keys).map((fields, index) => ({
    id: idOf(index),
    name: fields.text('name', { min: 1, max: maxPresetName }),
    isBuiltIn: false,
    values: readValues(fields),
  }));
}

function readValues(fields: FieldReader): PresetValues {
  const words = (key: string) => fields.nullable(key, () => fields.text(key, { max: maxPromptCharacters }));
  return {
    prompt: words('prompt'),
    negativePrompt: words('negativePrompt'),
    dial: fields.number('dial', 0, 1),
    technique: fields.oneOf('technique', techniqueNames),
    steps: fields.nullable('steps', () => fields.integer('steps', 1, maxSteps)),
    guidance: fields.nullable('guidance', () => fields.number('guidance', guidanceRange.min, guidanceRange.max)),
    keyframeInterval: fields.integer('keyframeInterval', 1, maxKeyframeInterval),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FieldError('file', 'must be JSON.');
  }
}
