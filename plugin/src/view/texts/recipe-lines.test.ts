import { expect, test } from 'vitest';
import { defaultSettings, type EditSettings } from '../../../../protocol/edit-settings.ts';
import { emptyForm, fromSettings, toSettings } from '../../state/form.ts';
import { applyPreset, presetOf } from '../../state/presets.ts';
import { recipeLines } from './recipe-lines.ts';
import { english } from './strings.ts';

const settings = (change: Partial<EditSettings> = {}): EditSettings => ({
  ...defaultSettings(),
  prompt: 'a wolf',
  sourcePrompt: 'a dog',
  ...change,
});
const lineOf = (label: string, change: Partial<EditSettings>) => {
  const recipe = { settings: settings(change), model: 'demo', createdAt: '2026-11-22T19:20:08.123Z' };
  return recipeLines(recipe as never, english).find((line) => line.label === label);
};

test('what guided is told where it was chosen', () => {
  expect(lineOf('Guide by', { guideBy: 'source' })?.value).toBe('What changes');
  expect(lineOf('Guide by', { guideBy: 'negative' })?.value).toBe('What to avoid');
  expect(lineOf('Guide by', {})?.value ?? '').toBe('');
});

test('what guides goes from the form to the settings and back, and into a preset and out of it', () => {
  const form = { ...emptyForm('h264'), guideBy: 'both' as const };
  const sent = toSettings(form, { startSeconds: 0, endSeconds: 1 });
  expect(sent.guideBy).toBe('both');
  expect(fromSettings(sent, null, 'h264').guideBy).toBe('both');
  const preset = presetOf(form, 'mine', 'Mine');
  expect(applyPreset(emptyForm('h264'), preset).guideBy).toBe('both');
  const { guideBy, ...earlier } = preset.values;
  expect(guideBy).toBe('both');
  expect(applyPreset(form, { ...preset, values: earlier }).guideBy).toBeNull();
});

test('ControlNets are told by what they are shown, with their strength', () => {
  const control = { kind: 'canny', scale: 0.5, start: 0, end: 1, guess: false } as const;
  expect(lineOf('ControlNet', { controls: [control, { ...control, kind: 'tile', scale: 1 }] })?.value).toBe(
    'Edges (0.5), Colours and coarse shapes (1)',
  );
  expect(lineOf('ControlNet', {})).toBeUndefined();
});
