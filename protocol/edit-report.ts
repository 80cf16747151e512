// What a finished edit says about itself.

import type { FieldReader } from './fields.ts';
import { devices, type Device } from './devices.ts';
import { noticeLimits } from './limits.ts';
import { readPixelSize, readRational, type PixelSize, type Rational } from './media-facts.ts';

/** Times in seconds, sizes in pixels. */
export interface EditReport {
  readonly device: Device;
  readonly frames: number;
  readonly frameRate: Rational;
  readonly outputSize: PixelSize;
  readonly workingSize: PixelSize;
  /** What the settings that were left to the model came to. */
  readonly chosen: {
    readonly guidance: number;
    readonly steps: number;
    readonly inversionSteps: number;
  };
  /** UNet forwards of one latent, counted. */
  readonly unetEvaluations: { readonly inversion: number; readonly sampling: number };
  /**
   * How well the inverted clip was found again, in decibels, measured on a few frames before the edit was paid for; null
   * where nothing was measured.
   */
  readonly reconstructionPsnr: number | null;
  /** Of a preview: the frame that each of its frames shows, counted from the in point. Otherwise null. */
  readonly frameIndices: readonly number[] | null;
  readonly stageSeconds: Readonly<Record<string, number>>;
  /**
   * Most memory of its own that the engine took during the edit. Outside Linux its highest resident size, of which mapped
   * files are part.
   */
  readonly peakMemoryBytes: number;
  /** Most pages of mapped files, the weights, each counted once; left out where the system doesn't tell. */
  readonly peakMappedBytes?: number;
  /** Sentences for the user: variable rate made constant, size padded, ... */
  readonly notices: readonly string[];
}

/** Most frames of a preview. */
export const maxPreviewFrames = 1_000;
const maxCount = Number.MAX_SAFE_INTEGER;

/** Reads the report in the field `report`. Throws FieldError. */
export function readEditReport(fields: FieldReader): EditReport {
  const report = fields.object('report', [
    'device',
    'frames',
    'frameRate',
    'outputSize',
    'workingSize',
    'chosen',
    'unetEvaluations',
    'reconstructionPsnr',
    'frameIndices',
    'stageSeconds',
    'peakMemoryBytes',
    'peakMappedBytes',
    'notices',
  ]);
  const chosen = report.object('chosen', ['guidance', 'steps', 'inversionSteps']);
  const mapped = report.optional('peakMappedBytes', () => report.number('peakMappedBytes', 0, maxCount));
  const evaluations = report.object('unetEvaluations', ['inversion', 'sampling']);
  return {
    device: report.oneOf('device', devices),
    frames: report.integer('frames', 0, maxCount),
    frameRate: readRational(report, 'frameRate'),
    outputSize: readPixelSize(report, 'outputSize'),
    workingSize: readPixelSize(report, 'workingSize'),
    chosen: {
      guidance: chosen.number('guidance', 0, maxCount),
      steps: chosen.integer('steps', 1, maxCount),
      inversionSteps: chosen.integer('inversionSteps', 1, maxCount),
    },
    unetEvaluations: {
      inversion: evaluations.number('inversion', 0, maxCount),
      sampling: evaluations.number('sampling', 0, maxCount),
    },
    reconstructionPsnr: report.nullable('reconstructionPsnr', () => report.number('reconstructionPsnr', 0, maxCount)),
    frameIndices: report.nullable('frameIndices', () => report.indices('frameIndices', maxPreviewFrames)),
    stageSeconds: report.amounts('stageSeconds'),
    peakMemoryBytes: report.number('peakMemoryBytes', 0, maxCount),
    ...(mapped === undefined ? {} : { peakMappedBytes: mapped }),
    notices: report.texts('notices', noticeLimits.count, noticeLimits.characters),
  };
}
