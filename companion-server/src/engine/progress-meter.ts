// Turns finished work into the progress that users see: 0..1 over the whole edit, never falling, with an estimate of
// the time left.

import { editStages, type EditProgress, type EditStage } from '../../../protocol/progress.ts';

/** Work of each stage in UNet forwards of one frame. */
export type StageWork = Readonly<Record<EditStage, number>>;

/** Shortest time between two reports within a stage. */
const minGapMs = 100;
/** Share of the work that must be done before the time left is estimated. */
const minShareForEta = 0.02;

export class ProgressMeter {
  private readonly report: (progress: EditProgress) => void;
  private readonly now: () => number;
  private work: StageWork = { load: 1, decode: 0, invert: 0, edit: 0, encode: 0 };
  private doneBefore = 0;
  private stage: EditStage = 'load';
  private stageStart: number;
  private workStart: number;
  private lastReport = -Infinity;
  private lastProgress = 0;
  /** Where the work began: not at 0 when an edit is resumed. */
  private firstProgress: number | null = null;
  private readonly seconds: Record<string, number> = {};
  private reconstructionPsnr: number | null = null;

  /** `now` in milliseconds. */
  constructor(
    report: (progress: EditProgress) => void,
    now: () => number = () => performance.now(),
  ) {
    this.report = report;
    this.now = now;
    this.stageStart = now();
    this.workStart = this.stageStart;
  }

  /** Seconds spent per stage so far. */
  get stageSeconds(): Readonly<Record<string, number>> {
    return this.seconds;
  }

  /** Once the size of the job is known. Loading is not part of what is estimated. */
  plan(work: Omit<StageWork, 'load'>): void {
    this.work = { load: 0, ...work };
    this.workStart = this.now();
  }

  /** Stages that were left out count as done: a resumed edit starts where it was. */
  begin(stage: EditStage, steps: number): void {
    this.closeStage();
    const earlier = editStages.slice(0, editStages.indexOf(stage));
    this.doneBefore = earlier.reduce((sum, name) => sum + this.work[name], 0);
    this.stage = stage;
    this.stageStart = this.now();
    this.send(0, steps, 0);
  }

  /** `share` of the stage's work is done, 0..1; `step` of `steps` is what the user reads. */
  advance(step: number, steps: number, share: number): void {
    if (share < 1 && this.now() - this.lastReport < minGapMs) return;
    this.send(step, steps, share);
  }

  /** What the gauge has measured, in decibels, or null; part of every report from now on. */
  gauged(reconstructionPsnr: number | null): void {
    this.reconstructionPsnr = reconstructionPsnr;
  }

  finish(): void {
    this.closeStage();
    this.send(1, 1, 1);
  }

  private closeStage(): void {
    const spent = (this.now() - this.stageStart) / 1000;
    this.seconds[this.stage] = (this.seconds[this.stage] ?? 0) + spent;
    this.stageStart = this.now();
  }

  private send(step: number, steps: number, share: number): void {
    const total = Object.values(this.work).reduce((sum, work) => sum + work, 0);
    const done = this.doneBefore + Math.min(1, share) * this.work[this.stage];
    const progress = this.stage === 'load' ? 0 : Math.min(1, done / total);
    this.lastProgress = Math.max(this.lastProgress, progress);
    this.lastReport = this.now();
    const elapsed = (this.now() - this.workStart) / 1000;
    if (this.stage !== 'load') this.firstProgress ??= this.lastProgress;
    const gained = this.lastProgress - (this.firstProgress ?? 0);
    const etaSeconds =
      gained >= minShareForEta ? (elapsed / gained) * (1 - this.lastProgress) : null;
    const { stage, lastProgress, reconstructionPsnr } = this;
    this.report({ stage, step, steps, progress: lastProgress, etaSeconds, reconstructionPsnr });
  }
}
