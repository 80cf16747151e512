// What a finished edit says about itself.

import type { EditReport } from '../../../../protocol/edit-report.ts';
import { codecInfo } from '../../../../protocol/codecs.ts';
import { noticeLimits } from '../../../../protocol/limits.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { parseTimecode, timecodeAfter } from '../../media/timecode.ts';
import type { Execution } from '../../onnx/execution.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import { enoughDecibels, mostForwards } from '../source-cache/inversion-calibration.ts';
import type { SourceAnalysis } from '../source-cache/inversion-entry.ts';
import type { MemoryWatch } from './memory-watch.ts';
import type { Model } from '../model/model.ts';
import { fullSizeFormat, isFullSize } from './upsample-result.ts';
import type { ProgressMeter } from './progress-meter.ts';

/** Of a prompt that is too long: enough to find the place. */
const quotedCharacters = 200;

export interface ReportParts {
  readonly clip: ClipInfo;
  readonly model: Model;
  readonly settings: ChosenSettings;
  readonly plan: EditPlan;
  readonly execution: Execution;
  readonly meter: ProgressMeter;
  readonly memory: MemoryWatch;
  readonly analysis: SourceAnalysis | null;
  readonly unetEvaluations: EditReport['unetEvaluations'];
  /** The share of the picture that the mask lets the edit change; null without a mask. */
  readonly maskedShare: number | null;
  /** Notices that were collected during the edit. */
  readonly notices: readonly string[];
}

export function makeReport(parts: ReportParts): EditReport {
  const { clip, model, settings, plan, execution, meter, unetEvaluations, analysis, maskedShare, notices } = parts;
  const { guideBy, guidance, steps } = settings;
  const inversionSteps = analysis?.inversionSteps ?? settings.inversionSteps;
  const { privateBytes, mappedBytes } = parts.memory.peak();
  return {
    device: execution.provider,
    frames: plan.frameCount,
    frameRate: clip.frameRate,
    outputSize: clip.frameSize,
    workingSize: plan.size.scaled,
    chosen: { guideBy, guidance, steps, inversionSteps },
    unetEvaluations,
    reconstructionPsnr: analysis?.reconstructionPsnr ?? null,
    frameIndices: settings.preview ? plan.frames.map((frame) => frame - plan.startFrame) : null,
    stageSeconds: meter.stageSeconds,
    peakMemoryBytes: privateBytes,
    ...(mappedBytes === null ? {} : { peakMappedBytes: mappedBytes }),
    ...(settings.loras.length === 0 ? {} : { loras: settings.loras }),
    ...(settings.vae === undefined ? {} : { vae: settings.vae }),
    ...(settings.controls === undefined || settings.controls.length === 0 ? {} : { controls: settings.controls }),
    ...(maskedShare === null ? {} : { maskedShare }),
    ...(settings.preview ? {} : { written: writtenFacts(clip, plan, settings) }),
    notices: [
      ...clip.notices,
      ...model.notices([settings.prompt, settings.sourcePrompt, settings.negativePrompt]),
      ...promptNotices(model, settings),
      ...guidanceNotices(settings),
      ...calibrationNotices(settings, analysis),
      ...(maskedShare === 0 ? ['The mask covers nothing, so the result is the clip as it was.'] : []),
      ...notices,
    ],
  };
}

/** What the encoder writes, as a host reads it. */
function writtenFacts(
  clip: ClipInfo,
  plan: Pick<EditPlan, 'size' | 'startFrame'>,
  settings: ChosenSettings,
): NonNullable<EditReport['written']> {
  const { origin, frameRate } = clip;
  const first = origin.timecode === null ? null : timecodeAfter(origin.timecode, plan.startFrame, frameRate);
  return {
    timecodeFrames: first === null ? null : (parseTimecode(first, frameRate)?.frames ?? null),
    hasAlpha:
      codecInfo(settings.codec).hasAlpha && isFullSize(settings, clip, plan) && fullSizeFormat(settings, clip).hasAlpha,
  };
}

function promptNotices(model: Model, { prompt, sourcePrompt, negativePrompt }: ChosenSettings): string[] {
  const named = { prompt, 'source prompt': sourcePrompt, 'negative prompt': negativePrompt };
  return Object.entries(named).flatMap(([name, text]) => {
    const overflow = model.overflowOf(text);
    return overflow === null
      ? []
      : [
          `The ${name} is longer than the model reads; this part was not used: "${shorten(overflow, quotedCharacters)}".`,
        ];
  });
}

/** What guidance could not do as it was told. */
export function guidanceNotices({
  guideBy,
  sourcePrompt,
  negativePrompt,
}: Pick<ChosenSettings, 'guideBy' | 'sourcePrompt' | 'negativePrompt'>): string[] {
  return [
    ...(guideBy !== 'negative' && sourcePrompt.trim() === ''
      ? ['Guidance led away from an empty prompt: no source prompt says what the clip shows now.']
      : []),
    ...(guideBy === 'source' && negativePrompt.trim() !== ''
      ? ['The negative prompt was not used: guidance led away from the source prompt.']
      : []),
  ];
}

/** `notices`, cut to the limits of the protocol. */
export function fitNotices(notices: readonly string[]): readonly string[] {
  return notices.slice(0, noticeLimits.count).map((text) => shorten(text, noticeLimits.characters));
}

function shorten(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}

/**
 * What the calibration has to say. An edit that begins from noise of its own doesn't begin from what the inversion found.
 * @param settings with the forwards that were taken at first
 */
export function calibrationNotices(
  { initialNoise, inversionSteps }: Pick<ChosenSettings, 'initialNoise' | 'inversionSteps'>,
  analysis: SourceAnalysis | null,
): string[] {
  const psnr = analysis?.reconstructionPsnr ?? null;
  if (psnr === null || psnr >= enoughDecibels || initialNoise !== 'inversion') return [];
  const forwards = analysis?.inversionSteps ?? inversionSteps;
  const more =
    forwards < mostForwards * inversionSteps
      ? ` More than ${forwards} forwards per frame in its inversion do not help.`
      : '';
  return [
    `The clip is found again to ${psnr.toFixed(0)} dB only, so the edit may stray from it.${more} A prompt that says what the clip shows now may help.`,
  ];
}
