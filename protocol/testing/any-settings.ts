// Any settings that an edit can have, for tests with many of them.

import fc, { type Arbitrary } from 'fast-check';
import { codecInfo, outputCodecs } from '../codecs.ts';
import { controlKinds, controlledFrames } from '../control.ts';
import {
  details,
  modelColours,
  guidanceBases,
  guidanceRange,
  initialNoises,
  maxKeyframeInterval,
  maxSteps,
  pipelines,
  propagations,
  sizeRange,
  sounds,
  type EditSettings,
} from '../edit-settings.ts';
import { controlScaleRange, loraStrengthRange, maxControls } from '../limits.ts';
import { growRange, matteChannels, maxFeather } from '../mask.ts';
import { techniqueInfos } from '../techniques.ts';

const nullable = <T>(value: Arbitrary<T>) => fc.option(value, { nil: null });
const words = (minLength: number) => fc.string({ minLength, maxLength: 100 });
/** JSON knows no negative zero. */
const amount = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((value) => value + 0);
const side = fc.integer(sizeRange);

const control = fc
  .record({
    kind: fc.constantFrom(...controlKinds),
    net: words(1),
    scale: amount(controlScaleRange.min, controlScaleRange.max),
    start: amount(0, 0.5),
    end: amount(0.6, 1),
    guess: fc.boolean(),
    clip: words(1),
  })
  .map(({ clip, ...rest }) => (rest.kind === 'own' ? { ...rest, clip } : rest));

const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);

const mask = fc.record({
  matte: fc.record({ sha256, channel: fc.constantFrom(...matteChannels), frame: fc.nat(1_000) }),
  follows: fc.boolean(),
  invert: fc.boolean(),
  grow: fc.integer(growRange),
  feather: fc.nat(maxFeather),
  asAlpha: fc.boolean(),
});

/** A field without a line here does not compile. */
const fields: { readonly [Name in keyof Required<EditSettings>]: Arbitrary<Required<EditSettings>[Name]> } = {
  prompt: words(0).map((more) => `a ${more}`.trim()),
  sourcePrompt: words(0).map((text) => text.trim()),
  negativePrompt: words(0).map((text) => text.trim()),
  technique: fc.constantFrom(...techniqueInfos.map(({ name }) => name)),
  pipeline: fc.constantFrom(...pipelines),
  propagation: fc.constantFrom(...propagations),
  initialNoise: fc.constantFrom(...initialNoises),
  strength: amount(0, 1),
  guideBy: nullable(fc.constantFrom(...guidanceBases)),
  guidance: nullable(amount(guidanceRange.min, guidanceRange.max)),
  steps: nullable(fc.integer({ min: 1, max: 100 })),
  inversionSteps: nullable(fc.integer({ min: 1, max: maxSteps })),
  keyframeInterval: fc.integer({ min: 1, max: maxKeyframeInterval }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  size: nullable(fc.record({ width: side, height: side })),
  startSeconds: nullable(amount(0, 100)),
  endSeconds: nullable(amount(101, 1_000)),
  codec: fc.constantFrom(...outputCodecs),
  sound: fc.constantFrom(...sounds),
  writesPrompt: fc.boolean(),
  keepsLocation: fc.boolean(),
  detail: fc.constantFrom(...details),
  modelColour: fc.constantFrom(...modelColours),
  loras: fc.uniqueArray(fc.record({ name: words(1), strength: amount(loraStrengthRange.min, loraStrengthRange.max) }), {
    maxLength: 3,
    selector: ({ name }) => name,
  }),
  vae: words(1),
  controls: fc.array(control, { maxLength: maxControls }),
  controlledFrames: fc.constantFrom(...controlledFrames),
  mask,
  keyframes: fc.uniqueArray(fc.record({ frame: fc.nat(1_000), sha256 }), {
    maxLength: 3,
    selector: ({ frame }) => frame,
  }),
  preview: fc.boolean(),
};

const optionalFields: readonly (keyof EditSettings)[] = [
  'modelColour',
  'vae',
  'controls',
  'controlledFrames',
  'mask',
  'keyframes',
];

/** Settings that `parseEditSettings` accepts: every field takes any of its values, in any combination that is allowed. */
export const anySettings: Arbitrary<EditSettings> = fc
  .record(fields, {
    requiredKeys: (Object.keys(fields) as (keyof EditSettings)[]).filter((name) => !optionalFields.includes(name)),
  })
  .map((settings: EditSettings) => ({
    ...settings,
    initialNoise: mayChooseNoise(settings) ? settings.initialNoise : 'inversion',
    inversionSteps: multipleOf(settings),
    ...(settings.mask === undefined
      ? {}
      : { mask: { ...settings.mask, asAlpha: settings.mask.asAlpha && keepsAlpha(settings) } }),
    // Given keyframes go to the other frames by the paper's rule alone.
    propagation: (settings.keyframes ?? []).length > 0 ? 'paper' : settings.propagation,
  }));

function keepsAlpha({ codec }: Pick<EditSettings, 'codec'>): boolean {
  return codecInfo(codec).hasAlpha;
}

function mayChooseNoise({ technique }: Pick<EditSettings, 'technique'>): boolean {
  return techniqueInfos.some(({ name, choosesInitialNoise }) => name === technique && choosesInitialNoise);
}

function multipleOf({ steps, inversionSteps }: Pick<EditSettings, 'steps' | 'inversionSteps'>): number | null {
  if (steps === null || inversionSteps === null) return inversionSteps;
  return steps * Math.max(1, Math.floor(inversionSteps / steps));
}
