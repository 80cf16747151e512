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
  private isStageDone = false;
  /** The work that was done when this began: not 0 when an edit is resumed. */
  private firstDone: number | null = null;
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

  /** Once the size of the job is known, and again when it is begun anew. Loading is not part of what is estimated. */
  plan(work: Omit<StageWork, 'load'>): void {
    this.work = { load: 0, ...work };
    this.workStart = this.now();
    this.firstDone = null;
  }

  /** When more is known of stages that have not begun yet. */
  correct(work: Partial<Omit<StageWork, 'load'>>): void {
    this.work = { ...this.work, ...work };
  }

  /**
   * Stages that were left out count as done: a resumed edit starts where it was, in the middle of a stage as well, of
   * which `step` of `steps` and `share` of the work are done then.
   */
  begin(stage: EditStage, steps: number, step = 0, share = 0): void {
    this.closeStage();
    const earlier = editStages.slice(0, editStages.indexOf(stage));
    this.doneBefore = earlier.reduce((sum, name) => sum + this.work[name], 0);
    this.stage = stage;
    this.isStageDone = false;
    this.stageStart = this.now();
    this.send(step, steps, share);
  }

  /** `share` of the stage's work is done, 0..1; `step` of `steps` is what the user reads. */
  advance(step: number, steps: number, share: number): void {
    const isEnd = share >= 1 && !this.isStageDone;
    if (!isEnd && this.now() - this.lastReport < minGapMs) return;
    this.isStageDone = share >= 1;
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
    if (this.stage !== 'load') this.firstDone ??= done;
    const gained = done - (this.firstDone ?? done);
    const isKnown = gained > 0 && gained >= minShareForEta * total;
    const etaSeconds = isKnown ? (elapsed / gained) * Math.max(0, total - done) : null;
    const { stage, lastProgress, reconstructionPsnr } = this;
    this.report({ stage, step, steps, progress: lastProgress, etaSeconds, reconstructionPsnr });
  }
}
