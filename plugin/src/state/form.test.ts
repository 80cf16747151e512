import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultSettings, parseEditSettings, type EditSettings } from '../../../protocol/edit-settings.ts';
import { anySettings } from '../../../protocol/testing/any-settings.ts';
import { emptyForm, fromSettings, nearestStop, strengthStops, toSettings, withChange } from './form.ts';
import { readPersisted, writeForm } from './persisted.ts';
import { applyPreset, builtInPresets } from './presets.ts';

/** The part of the clip, where and by which frames it is edited, and the kind of task are not the form's. */
const again = (settings: EditSettings, form = fromSettings(settings, 'film', settings.codec)): EditSettings => {
  const { startSeconds, endSeconds, preview, mask, keyframes } = settings;
  const ofClip = { startSeconds, endSeconds, preview, ...(keyframes !== undefined && { keyframes }) };
  return { ...toSettings(form, null, mask), ...ofClip };
};

const ofRecipe = { ...defaultSettings('sdedit'), prompt: 'a fox', vae: 'sharp', steps: 10 };
const others = { initialNoise: 'own', inversionSteps: 30, size: { width: 128, height: 64 }, detail: 'none' } as const;

describe('the form', () => {
  test('makes settings that the server accepts, and is made of them again', () => {
    const form = { ...emptyForm('h264'), prompt: 'a wolf', strength: 0.7, steps: 20, seed: 5, keepsLocation: true };
    const settings = toSettings(form, { startSeconds: 1, endSeconds: 2 });
    expect(parseEditSettings(settings)).toEqual(settings);
    expect(settings).toMatchObject({ keepsLocation: true, writesPrompt: false });
    expect(fromSettings(settings, null, 'h264')).toEqual({ ...form, isSeedLocked: true });
    const draft = { ...form, pipeline: 'draft' } as const;
    expect(toSettings(draft, null).pipeline).toBe('draft');
    expect(fromSettings(toSettings(draft, null), null, 'h264').pipeline).toBe('draft');
  });

  test('loses no setting that an edit can have, also where the panel was closed in between', () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        expect(parseEditSettings(settings)).toEqual(settings);
        expect(again(settings)).toEqual(settings);
        const text = writeForm(fromSettings(settings, 'film', settings.codec));
        const { kept, complaints } = readPersisted((name) => (name === 'form' ? text : null));
        expect(complaints).toEqual([]);
        expect(again(settings, { ...emptyForm('h264'), ...kept.form })).toEqual(settings);
      }),
    );
  });

  test('keeps a setting without a control until what it belongs to is changed', () => {
    const settings = { ...ofRecipe, ...others };
    const form = fromSettings(settings, 'film', 'h264');
    expect(toSettings(withChange(form, { prompt: 'a dog', model: 'film' }), null)).toMatchObject({
      ...others,
      vae: 'sharp',
    });
    const otherModel = toSettings(withChange(form, { model: 'xl' }), null);
    expect(otherModel).toMatchObject({ ...others, size: null });
    expect(otherModel).not.toHaveProperty('vae');
    const changes = [{ technique: 'pnp' }, { steps: 7 }, { model: 'xl' }, { pipeline: 'draft' }] as const;
    for (const change of changes) {
      const changed = toSettings(withChange(form, change), null);
      expect(parseEditSettings(changed)).toEqual(changed);
    }
    expect(toSettings(withChange(form, { technique: 'pnp' }), null).initialNoise).toBe('inversion');
    expect(toSettings(withChange(form, { steps: 7 }), null).inversionSteps).toBeNull();
    for (const preset of builtInPresets) {
      const chosen = toSettings(applyPreset(form, preset), null);
      expect(parseEditSettings(chosen)).toEqual(chosen);
      expect(chosen.vae).toBe('sharp');
    }
  });

  test('shows a pipeline that the panel does not offer as its first, and keeps it until another is chosen', () => {
    const form = fromSettings({ ...ofRecipe, pipeline: 'reference', propagation: 'reference' }, null, 'h264');
    expect(form.pipeline).toBe('fast');
    expect(toSettings(form, null)).toMatchObject({ pipeline: 'reference', propagation: 'reference' });
    const draft = withChange(form, { pipeline: 'draft' });
    expect(toSettings(withChange(draft, { pipeline: 'fast' }), null)).toMatchObject({
      pipeline: 'fast',
      propagation: 'paper',
    });
  });

  test('names every stop of its strength', () => {
    expect(strengthStops.map(({ at }) => nearestStop(at))).toEqual(strengthStops.map(({ name }) => name));
    expect([nearestStop(0), nearestStop(1)]).toEqual(['hold', 'free']);
  });
});
