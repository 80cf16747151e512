import { expect, test } from 'vitest';
import { fromEarlierSettings } from './earlier-settings.ts';
import { defaultSettings, parseEditSettings } from './edit-settings.ts';

test('settings of an earlier version have their names of today, and are as usual where it knew nothing', () => {
  const { pipeline, initialNoise, detail, sound, ...others } = { ...defaultSettings('sdedit'), prompt: 'a fox' };
  const kept = { ...others, schedule: 'reference', noise: 'own' };
  expect(parseEditSettings(fromEarlierSettings(kept))).toEqual({
    ...others,
    ...{ detail, sound, pipeline: 'reference', initialNoise: 'own' },
  });
  expect([pipeline, initialNoise]).toEqual(['fast', 'inversion']);
});

test("today's settings stay as they are", () => {
  const settings = { ...defaultSettings('sdedit'), prompt: 'a fox', initialNoise: 'shared', detail: 'none' };
  expect(fromEarlierSettings(settings)).toEqual(settings);
});

test.each([null, 3, 'settings', [[]]])('%j is left for its reader to refuse', (kept) => {
  expect(fromEarlierSettings(kept)).toBe(kept);
});
