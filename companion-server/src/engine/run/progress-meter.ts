// Turns finished work into the progress that users see: 0..1 over the whole edit, never falling, with an estimate of
// the time left. One-time costs, such as the opening of a session or the start of a program, are not extrapolated.

import { editStages, type EditProgress, type EditStage } from '../../../../protocol/progress.ts';
import { plannedStages, type PlannedStage } from '../estimate/throughput.ts';

/** The expected seconds of a stage. */
export interface StageForecast {
  /** Of its work; the share of a stage in the whole progress is that of these seconds. */
  readonly seconds: number;
  /** Before the first part of its work is done. */
  readonly onceSeconds: number;
}

/** The measured seconds of a stage that ran from its beginning. */
export interface MeasuredStage {
  readonly seconds: number;
  readonly onceSeconds: number;
}

export type Forecast = Readonly<Record<PlannedStage, StageForecast>>;

/** Shortest time between two reports within a stage. */
const minGapMs = 100;
/**
 * How much a forecast is trusted, as a share of itself: after so much of the work, the measured and the expected time have
 * equal weight. A guess has less weight than the times of earlier edits.
 */
const trust = { measured: 0.1, guessed: 0.01 } as const;
/**
 * How much the calibration's time says about that of the inversion: its passes are of one or two frames, which take longer
 * for each frame than passes of many.
 */
const calibrationWeight = 0.1;
/** Share of a stage that must be timed to separate its work from its one-time costs. */
const minTimedShare = 0.5;

/** The state of a stage after the first part of its work: timing starts there. */
interface Mark {
  /** Moved forward by one-time costs after it. */
  readonly ms: number;
  readonly share: number;
}

export class ProgressMeter {
  private readonly report: (progress: EditProgress) => void;
  private readonly now: () => number;
  private forecast: Forecast | null = null;
  private trusted: number = trust.guessed;
  private stage: EditStage = 'load';
  private stageStart: number;
  private firstShare = 0;
  private share = 0;
  /** Timing starts, or starts again, after this share of the stage. */
  private timedFrom = 0;
  private mark: Mark | null = null;
  /** How much the time of the current passes counts, 0..1. */
  private timedWeight = 1;
  /** In this stage, before its work is timed and since. */
  private onceSpent = 0;
  /** In this stage, as `paidOnce` was told. */
  private onceTold = 0;
  private lastReport = -Infinity;
  private lastProgress = 0;
  private isStageDone = false;
  /** Seconds of work, as they were and as they were expected, of stages that are over. */
  private readonly timed = { actual: 0, expected: 0 };
  private readonly seconds: Record<string, number> = {};
  private readonly found: Partial<Record<PlannedStage, MeasuredStage>> = {};
  private reconstructionPsnr: number | null = null;

  /** `now` in milliseconds. */
  constructor(report: (progress: EditProgress) => void, now: () => number = () => performance.now()) {
    this.report = report;
    this.now = now;
    this.stageStart = now();
  }

  /** Seconds spent per stage so far. */
  get stageSeconds(): Readonly<Record<string, number>> {
    return this.seconds;
  }

  /** Of the finished stages, without those that an earlier process had begun. */
  get measured(): Partial<Record<PlannedStage, MeasuredStage>> {
    return this.found;
  }

  /**
   * Called once the work is known, and again when it starts again.
   * @param isMeasured whether the forecast is what earlier edits took, or a guess
   */
  plan(forecast: Forecast, isMeasured: boolean): void {
    this.forecast = forecast;
    this.trusted = isMeasured ? trust.measured : trust.guessed;
    Object.assign(this.timed, { actual: 0, expected: 0 });
  }

  /** Called when the work of unfinished stages is known better. The finished part is then another share of it. */
  correct(stages: Partial<Forecast>): void {
    const { forecast, stage } = this;
    if (forecast === null) return;
    this.forecast = { ...forecast, ...stages };
    if (stage === 'load' || this.forecast[stage].seconds <= 0) return;
    const ratio = forecast[stage].seconds / this.forecast[stage].seconds;
    this.share *= ratio;
    if (this.mark !== null) this.mark = { ...this.mark, share: this.mark.share * ratio };
  }

  /**
   * Stages that were left out count as done: a resumed edit starts where it was, in the middle of a stage as well, of
   * which `step` of `steps` and `share` of the work are done then.
   */
  begin(stage: EditStage, steps: number, step = 0, share = 0): void {
    this.closeStage();
    this.stage = stage;
    this.isStageDone = false;
    this.stageStart = this.now();
    [this.firstShare, this.share, this.timedFrom] = [share, share, share];
    [this.mark, this.timedWeight, this.onceSpent, this.onceTold] = [null, 1, 0, 0];
    this.send(step, steps);
  }

  /** `share` of the stage's work is done, 0..1; `step` of `steps` is what the user reads. */
  advance(step: number, steps: number, share: number): void {
    this.share = Math.min(1, share);
    if (this.share > this.timedFrom && this.mark === null) {
      this.mark = { ms: this.now(), share: this.share };
      this.onceSpent = (this.now() - this.stageStart) / 1000;
    }
    const isEnd = share >= 1 && !this.isStageDone;
    if (!isEnd && this.now() - this.lastReport < minGapMs) return;
    this.isStageDone = share >= 1;
    this.send(step, steps);
  }

  /** Seconds of one-time costs in the middle of the work, such as loading a graph. */
  paidOnce(seconds: number): void {
    this.onceSpent += seconds;
    this.onceTold += seconds;
    if (this.mark !== null) this.mark = { ...this.mark, ms: this.mark.ms + 1000 * seconds };
  }

  /**
   * The stage begins with a calibration, which says little about the time of its other passes; but more than a guess does,
   * until they are timed.
   */
  beginCalibration(): void {
    if (this.trusted === trust.measured) this.timedWeight = calibrationWeight;
  }

  /** The stage goes on with its own passes, which are timed from here. */
  endCalibration(): void {
    this.timedWeight = calibrationWeight;
    const { actual, expected } = this.timedNow();
    this.timed.actual += actual;
    this.timed.expected += expected;
    [this.mark, this.timedFrom, this.timedWeight] = [null, this.share, 1];
  }

  /** What the calibration has measured, in decibels, or null; part of every report from now on. */
  calibrated(reconstructionPsnr: number | null): void {
    this.reconstructionPsnr = reconstructionPsnr;
  }

  finish(): void {
    this.closeStage();
    this.share = 1;
    this.send(1, 1);
  }

  private closeStage(): void {
    const spent = (this.now() - this.stageStart) / 1000;
    this.seconds[this.stage] = (this.seconds[this.stage] ?? 0) + spent;
    if (this.stage !== 'load') {
      const { actual, expected } = this.timedNow();
      this.timed.actual += actual;
      this.timed.expected += expected;
      if (this.firstShare === 0) this.found[this.stage] = this.measure(spent);
    }
    this.mark = null;
    this.stageStart = this.now();
  }

  /** The measured part of a stage represents all of it; if it is too small, all of its time but the known one-time costs is its work. */
  private measure(spent: number): MeasuredStage {
    const { mark } = this;
    if (mark === null || 1 - mark.share < minTimedShare) {
      return { seconds: Math.max(0, spent - this.onceTold), onceSeconds: this.onceTold };
    }
    const seconds = (this.now() - mark.ms) / 1000 / (1 - mark.share);
    return { seconds, onceSeconds: Math.max(0, spent - seconds) };
  }

  /** Of the current stage: since the first part of its work was done. */
  private timedNow(): { readonly actual: number; readonly expected: number } {
    const { mark, stage, forecast } = this;
    if (mark === null || stage === 'load' || forecast === null) return { actual: 0, expected: 0 };
    const expected = (this.share - mark.share) * forecast[stage].seconds;
    if (expected <= 0) return { actual: 0, expected: 0 };
    const weight = this.timedWeight;
    return { actual: (weight * (this.now() - mark.ms)) / 1000, expected: weight * expected };
  }

  private get earlier(): readonly PlannedStage[] {
    return planned(editStages.slice(0, editStages.indexOf(this.stage)));
  }

  private get later(): readonly PlannedStage[] {
    return planned(editStages.slice(editStages.indexOf(this.stage) + 1));
  }

  private send(step: number, steps: number): void {
    const { forecast, stage } = this;
    const secondsOf = (one: PlannedStage): number => forecast?.[one].seconds ?? 0;
    const sum = (stages: readonly PlannedStage[]): number => stages.reduce((total, one) => total + secondsOf(one), 0);
    const own = stage === 'load' ? 0 : secondsOf(stage);
    // In one order, so that a stage ends exactly where the next begins.
    const whole = sum(plannedStages);
    const progress = whole === 0 ? 0 : Math.min(1, (sum(this.earlier) + this.share * own) / whole);
    this.lastProgress = Math.max(this.lastProgress, progress);
    this.lastReport = this.now();
    const { lastProgress, reconstructionPsnr } = this;
    const etaSeconds = forecast === null ? null : this.secondsLeft(forecast, whole);
    this.report({ stage, step, steps, progress: lastProgress, etaSeconds, reconstructionPsnr });
  }

  /**
   * The forecast of what is left, multiplied by the ratio of measured to expected time of the work so far. The current
   * stage has its own ratio as soon as enough of it is done.
   */
  private secondsLeft(forecast: Forecast, whole: number): number {
    const { stage, timed, trusted, mark } = this;
    const current = this.timedNow();
    const pull = trusted * whole;
    const expected = timed.expected + current.expected + pull;
    const factor = expected === 0 ? 1 : (timed.actual + current.actual + pull) / expected;
    const later = this.later.reduce((sum, one) => sum + forecast[one].seconds + forecast[one].onceSeconds, 0);
    if (stage === 'load') return factor * later;
    const { seconds, onceSeconds } = forecast[stage];
    const ownPull = trusted * seconds;
    const ownExpected = current.expected + ownPull;
    const ownFactor = ownExpected === 0 ? factor : (current.actual + ownPull * factor) / ownExpected;
    const paid = mark === null ? (this.now() - this.stageStart) / 1000 : this.onceSpent;
    const once = this.share < 1 ? Math.max(0, onceSeconds - paid) : 0;
    return factor * later + ownFactor * (1 - this.share) * seconds + once;
  }
}

function planned(stages: readonly EditStage[]): readonly PlannedStage[] {
  return stages.filter((stage) => stage !== 'load');
}
