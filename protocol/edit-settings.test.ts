import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outputCodecs } from './codecs.ts';
import { defaultSettings, initialNoises, parseEditSettings, referencePipeline } from './edit-settings.ts';
import { techniqueNames } from './techniques.ts';
import { FieldError } from './fields.ts';

const settings = { ...defaultSettings(), prompt: 'a silver wolf' };

function refusalOf(change: object): FieldError {
  try {
    parseEditSettings({ ...settings, ...change }, 'message.settings');
  } catch (error) {
    if (error instanceof FieldError) return error;
    throw error;
  }
  throw new Error('The settings were accepted.');
}

describe('parseEditSettings', () => {
  test.each(techniqueNames)('accepts the defaults of %s with a prompt', (technique) => {
    const chosen = { ...defaultSettings(technique), prompt: 'a silver wolf' };
    expect(parseEditSettings(chosen)).toEqual(chosen);
  });

  test('takes settings that know no LoRA for settings without any', () => {
    const { loras, ...others } = settings;
    expect(parseEditSettings(others)).toEqual({ ...others, loras });
    expect(loras).toEqual([]);
  });

  test.each(initialNoises)('lets SDEdit start from %s noise', (initialNoise) => {
    const chosen = { ...defaultSettings('sdedit'), prompt: 'a silver wolf', initialNoise };
    expect(parseEditSettings(chosen)).toEqual(chosen);
  });

  test.each([
    [{ strength: 1.4 }, 'message.settings.strength must be between 0 and 1, got 1.4.'],
    [{ strength: Number.NaN }, 'message.settings.strength must be between 0 and 1, got NaN.'],
    [{ steps: 0 }, 'message.settings.steps must be between 1 and 1000, got 0.'],
    [{ steps: 2.5 }, 'message.settings.steps must be a whole number between 1 and 1000, got 2.5.'],
    [{ guidance: '7' }, "message.settings.guidance must be between 0 and 30, got '7'."],
    [{ keyframeInterval: 65 }, 'message.settings.keyframeInterval must be between 1 and 64, got 65.'],
    [
      { loras: [{ name: 'film', strength: 2.5 }] },
      'message.settings.loras.0.strength must be between -2 and 2, got 2.5.',
    ],
    [{ loras: [{ name: '', strength: 1 }] }, 'message.settings.loras.0.name must have 1 to 200 characters, got 0.'],
    [
      { loras: ['film', 'film'].map((name) => ({ name, strength: 1 })) },
      "message.settings.loras.1.name must not be named twice, got 'film'.",
    ],
    [
      { loras: Array.from({ length: 17 }, (_, i) => ({ name: `lora ${i}`, strength: 1 })) },
      'message.settings.loras must be a list of at most 16 objects, got a list.',
    ],
    [
      { sourcePrompt: 'a wolfhound', mask: { words: 'the wolf' } },
      "message.settings.mask.words must be in the source prompt, 'a wolfhound', got 'the wolf'.",
    ],
    [{ mask: { words: 'wolf', drawn: [] } }, 'message.settings.mask must have one of drawn, matte and words, got 2.'],
    [{ seed: -1 }, 'message.settings.seed must be between 0 and 4294967295, got -1.'],
    [
      { steps: 4, inversionSteps: 50 },
      'message.settings.inversionSteps must be a multiple of the 4 sampling steps, got 50.',
    ],
    [{ size: { width: 63, height: 512 } }, 'message.settings.size.width must be between 64 and 2048, got 63.'],
    [{ size: [512, 512] }, 'message.settings.size must be an object, got a list.'],
    [{ startSeconds: 2, endSeconds: 2 }, 'message.settings.endSeconds must be after the start at 2 seconds, got 2.'],
    [{ technique: 'magic' }, "message.settings.technique must be one of pnp, sdedit, none, got 'magic'."],
    [
      { initialNoise: 'own' },
      'message.settings.initialNoise must be inversion unless the technique is sdedit, got own with pnp.',
    ],
    [{ pipeline: 'quick' }, "message.settings.pipeline must be one of fast, draft, reference, got 'quick'."],
    [{ pipeline: undefined }, 'message.settings.pipeline must be one of fast, draft, reference, got nothing.'],
    [{ preview: 'yes' }, "message.settings.preview must be true or false, got 'yes'."],
    [{ detail: 'sharp' }, "message.settings.detail must be one of source, none, got 'sharp'."],
    [{ codec: undefined }, `message.settings.codec must be one of ${outputCodecs.join(', ')}, got nothing.`],
    [{ negativePrompt: null }, 'message.settings.negativePrompt must be a text, got null.'],
  ])('refuses %j and says why', (change, message) => {
    expect(refusalOf(change).message).toBe(message);
    expect(refusalOf(change).code).toBe('invalid-request');
  });

  test('an empty prompt has a code of its own', () => {
    expect(refusalOf({ prompt: ' \n' })).toMatchObject({
      code: 'prompt-empty',
      message: 'message.settings.prompt is empty; say what the clip should become.',
    });
  });

  test('a prompt of 10,000 characters is refused by its length and not repeated', () => {
    expect(refusalOf({ prompt: 'x'.repeat(10_000) })).toMatchObject({
      code: 'prompt-too-long',
      message: 'message.settings.prompt must have at most 2000 characters, got 10000.',
    });
  });

  test('a setting that is not known is named together with those that are', () => {
    expect(refusalOf({ strenght: 1 }).message).toMatch(/^message\.settings\.strenght is not known;/);
  });

  test('anything else than settings is refused with a FieldError', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => parseEditSettings(value)).toThrow(FieldError);
      }),
    );
  });
});

describe('what is left to the model', () => {
  test('guidance and steps may be null', () => {
    const left = { ...settings, guidance: null, steps: null, inversionSteps: null };
    expect(parseEditSettings(left)).toEqual(left);
  });

  test('inversion steps may be chosen without sampling steps', () => {
    const parsed = parseEditSettings({ ...settings, steps: null, inversionSteps: 7 });
    expect(parsed.inversionSteps).toBe(7);
  });

  test('the reference pipeline is accepted', () => {
    const parsed = parseEditSettings({ ...settings, ...referencePipeline });
    expect(parsed).toMatchObject({ steps: 50, inversionSteps: 500, guidance: 7.5 });
  });
});
