// What the stages of one edit share.

import type { Schedule } from '../../diffusion/schedule.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { Execution } from '../../onnx/execution.ts';
import type { Technique } from '../../techniques/technique.ts';
import type { Control } from '../../tokenflow/control.ts';
import { drawKeyframes, withGivenKeyframes } from '../../tokenflow/keyframes.ts';
import { frameRange } from '../../tokenflow/latents.ts';
import { scenesOf, type Scene } from '../../tokenflow/scenes.ts';
import type { ResumePoint } from './resume-point.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditJob, GrowingPicture } from './edit-job.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import type { UNetDenoiser } from '../model/unet-denoiser.ts';
import type { SourceAnalysis } from '../source-cache/inversion-entry.ts';
import type { MemoryWatch } from './memory-watch.ts';
import type { Model } from '../model/model.ts';
import type { ProgressMeter } from './progress-meter.ts';

export interface EditRunOptions {
  readonly job: EditJob;
  readonly settings: ChosenSettings;
  /** The one that the settings name. */
  readonly technique: Technique;
  readonly clip: ClipInfo;
  readonly model: Model;
  readonly execution: Execution;
  readonly meter: ProgressMeter;
  readonly memory: MemoryWatch;
  readonly onResumePoint: (resumePoint: ResumePoint) => void;
  /** Takes what the edit looks like so far; null where nobody looks. */
  readonly onPicture?: ((picture: GrowingPicture) => void) | null;
  readonly signal: AbortSignal | undefined;
}

export interface EditContext extends EditRunOptions {
  readonly plan: EditPlan;
  readonly sampling: Schedule;
  readonly denoiser: UNetDenoiser;
  /** ControlNets; none when left out. */
  readonly control?: Control;
  /** Writes how far the edit is; what was written before it is on the disk then. */
  readonly saveResumePoint: (stage: ResumePoint['stage'], step: number, inversionEvaluations: number) => Promise<void>;
  /** Called once the calibration's forwards of a frame, and those of the inversion after it, are known. */
  readonly replan: (analysis: SourceAnalysis, calibrated: number) => void;
  /** Reports step, steps and share of the stage after every forward until the returned function is called. */
  readonly watch: (state: () => readonly [number, number, number]) => () => void;
}

/** @param cuts first frames of the scenes but the first */
export function scenesFor({ plan }: EditContext, cuts: readonly number[]): readonly Scene[] {
  return scenesOf(plan.frameCount, cuts);
}

/** The keyframes of a sampling step. All frames of a preview are keyframes. */
export function keyframesFor(
  { plan, settings }: EditContext,
  scenes: readonly Scene[],
  step: number,
): readonly number[] {
  if (settings.preview) return frameRange(0, plan.frameCount);
  const { keyframeInterval, keyframes = [] } = settings;
  const drawn = drawKeyframes(plan.keyframeSeed, step, scenes, keyframeInterval);
  const given = keyframes.map(({ frame }) => plan.frames.indexOf(frame)).filter((row) => row >= 0);
  return withGivenKeyframes(drawn, given, scenes, keyframeInterval);
}
