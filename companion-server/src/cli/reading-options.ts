// The options that say how a checkpoint is read where it does not say everything itself.

import { resolve } from 'node:path';
import type { ModelReading } from '../models/readings.ts';
import type { Options, Values } from './options.ts';

export const readingOptions = {
  parts: {
    kind: 'text',
    placeholder: 'PATH',
    help: 'For a checkpoint in one file that lacks a VAE or a text encoder: the folder of another checkpoint, or a file, that gives them. Default: the first installed folder of the family that fits.',
  },
  prediction: {
    kind: 'choice',
    choices: ['epsilon', 'v'],
    help: "What the model's network predicts, noise (epsilon) or velocity (v), whatever its files say. Default: as they say.",
  },
} as const satisfies Options;

/** Undefined where neither option was given. */
export function readReading({ parts, prediction }: Values<typeof readingOptions>): ModelReading | undefined {
  if (parts === undefined && prediction === undefined) return undefined;
  return {
    parts: parts === undefined ? null : resolve(parts),
    prediction: prediction === undefined ? null : prediction === 'v' ? 'v_prediction' : 'epsilon',
  };
}
