import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editStages, type EditProgress } from '../../../protocol/progress.ts';
import { ProgressMeter } from './progress-meter.ts';

/** A meter on a clock that the test moves. */
function makeMeter() {
  const reports: EditProgress[] = [];
  const clock = { ms: 0 };
  const meter = new ProgressMeter((progress) => reports.push(progress), () => clock.ms); // prettier-ignore
  return { reports, clock, meter };
}

const work = { decode: 10, invert: 40, edit: 40, encode: 10 };

describe('progress', () => {
  it('never falls, stays within 0..1 and ends at 1, whatever is reported', () => {
    const shares = fc.array(fc.double({ min: 0, max: 1.5, noNaN: true }), { maxLength: 10 });
    fc.assert(
      fc.property(fc.array(shares, { minLength: 4, maxLength: 4 }), (stages) => {
        const { reports, clock, meter } = makeMeter();
        meter.begin('load', 1);
        meter.plan(work);
        for (const [index, stage] of (['decode', 'invert', 'edit', 'encode'] as const).entries()) {
          meter.begin(stage, 5);
          for (const share of stages[index] ?? []) {
            clock.ms += 1000;
            meter.advance(1, 5, share);
          }
        }
        meter.finish();
        const progress = reports.map((report) => report.progress);
        expect(progress).toEqual(progress.toSorted((a, b) => a - b));
        expect(progress.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect(progress.at(-1)).toBe(1);
      }),
    );
  });

  it('weighs stages by their work', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work);
    meter.begin('decode', 1);
    meter.begin('invert', 4);
    clock.ms = 500;
    meter.advance(2, 4, 0.5);
    expect(reports.at(-1)).toMatchObject({ stage: 'invert', step: 2, steps: 4, progress: 0.3 });
  });

  it('does not run over into the next stage', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work);
    meter.begin('decode', 1);
    clock.ms = 1000;
    meter.advance(3, 1, 3);
    expect(reports.at(-1)?.progress).toBe(0.1);
  });

  it('is 0 while the model loads', () => {
    const { reports, meter } = makeMeter();
    meter.begin('load', 1);
    expect(reports).toEqual([
      { stage: 'load', step: 0, steps: 1, progress: 0, etaSeconds: null, reconstructionPsnr: null },
    ]);
  });

  it('is told at most ten times a second, but the end of a stage always', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work);
    meter.begin('invert', 100);
    for (let step = 1; step <= 100; step++) {
      clock.ms += 10;
      meter.advance(step, 100, step / 100);
    }
    expect(reports.length).toBeLessThanOrEqual(12);
    expect(reports.at(-1)?.step).toBe(100);
    // Work that was not counted beforehand.
    for (let more = 1; more < 10; more++) {
      clock.ms += 1;
      meter.advance(100, 100, 1 + more / 100);
    }
    expect(reports.length).toBeLessThanOrEqual(12);
  });
});

describe('the time left', () => {
  it('is what the rest takes at the speed so far, loading not counted', () => {
    const { reports, clock, meter } = makeMeter();
    meter.begin('load', 1);
    clock.ms = 60_000;
    meter.plan(work);
    meter.begin('decode', 1);
    clock.ms += 20_000;
    meter.advance(1, 1, 1);
    expect(reports.at(-1)?.progress).toBe(0.1);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(180, 6);
    for (const stage of ['invert', 'edit', 'encode'] as const) meter.begin(stage, 1);
    meter.finish();
    expect(reports.at(-1)?.etaSeconds).toBe(0);
  });

  it('is unknown in the beginning', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work);
    meter.begin('decode', 100);
    clock.ms = 1000;
    meter.advance(1, 100, 0.1);
    expect(reports.at(-1)).toMatchObject({ progress: 0.01, etaSeconds: null });
  });

  it('counts from where a resumed edit is, in the middle of a stage', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work);
    meter.begin('invert', 4, 3, 0.75);
    expect(reports.at(-1)).toMatchObject({ step: 3, progress: 0.4, etaSeconds: null });
    clock.ms = 30_000;
    meter.advance(4, 4, 1);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(150, 6);
  });

  it('counts anew when the work is begun anew, and progress does not fall', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work);
    meter.begin('invert', 4, 0);
    clock.ms = 1_000;
    meter.advance(4, 4, 1);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(1.25, 6);
    // The same edit on a slower device, from its last finished step.
    meter.plan(work);
    meter.begin('invert', 4, 3, 0.75);
    expect(reports.at(-1)).toMatchObject({ progress: 0.5, etaSeconds: null });
    clock.ms += 30_000;
    meter.advance(4, 4, 1);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(150, 6);
  });

  it('follows when the work turns out to be more', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work);
    meter.begin('decode', 1);
    clock.ms = 10_000;
    meter.advance(1, 1, 1);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(90, 6);
    meter.correct({ invert: 160 });
    meter.begin('invert', 4);
    expect(reports.at(-1)).toMatchObject({ progress: 0.1, etaSeconds: 210 });
  });
});

describe('the seconds of the stages', () => {
  it('are those between their beginnings', () => {
    const { clock, meter } = makeMeter();
    expect(editStages).toContain('load');
    meter.begin('load', 1);
    clock.ms = 2000;
    meter.plan(work);
    meter.begin('decode', 1);
    clock.ms = 5000;
    meter.begin('invert', 1);
    clock.ms = 5500;
    meter.finish();
    expect(meter.stageSeconds).toEqual({ load: 2, decode: 3, invert: 0.5 });
  });
});
