import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editStages, type EditProgress } from '../../../../protocol/progress.ts';
import { plannedStages } from '../estimate/throughput.ts';
import { ProgressMeter, type Forecast } from './progress-meter.ts';

/** A meter on a clock that the test moves. */
function makeMeter() {
  const reports: EditProgress[] = [];
  const clock = { ms: 0 };
  const meter = new ProgressMeter(
    (progress) => reports.push(progress),
    () => clock.ms,
  );
  return { reports, clock, meter };
}

/** Seconds of each stage's work, nothing paid once. */
function workOf(seconds: Record<(typeof plannedStages)[number], number>): Forecast {
  const of = (each: number) => ({ seconds: each, onceSeconds: 0 });
  const { decode, invert, edit, encode } = seconds;
  return { decode: of(decode), invert: of(invert), edit: of(edit), encode: of(encode) };
}
const work = workOf({ decode: 10, invert: 40, edit: 40, encode: 10 });

describe('progress', () => {
  it('never falls, stays within 0..1 and ends at 1, whatever is reported', () => {
    const shares = fc.array(fc.double({ min: 0, max: 1.5, noNaN: true }), { maxLength: 10 });
    fc.assert(
      fc.property(fc.array(shares, { minLength: 4, maxLength: 4 }), (stages) => {
        const { reports, clock, meter } = makeMeter();
        meter.begin('load', 1);
        meter.plan(work, true);
        for (const [index, stage] of plannedStages.entries()) {
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
        expect(reports.every(({ etaSeconds }) => etaSeconds === null || etaSeconds >= 0)).toBe(true);
      }),
    );
  });

  it('weighs stages by their work', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work, true);
    meter.begin('decode', 1);
    meter.begin('invert', 4);
    clock.ms = 500;
    meter.advance(2, 4, 0.5);
    expect(reports.at(-1)).toMatchObject({ stage: 'invert', step: 2, steps: 4, progress: 0.3 });
  });

  it('does not run over into the next stage', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work, true);
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
    meter.plan(work, true);
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

/** Goes through a stage in ten parts of equal length, after what is paid once. */
function goThrough(
  { meter, clock }: Pick<ReturnType<typeof makeMeter>, 'meter' | 'clock'>,
  stage: (typeof plannedStages)[number],
  { onceMs = 0, partMs, parts = 10 }: { onceMs?: number; partMs: number; parts?: number },
): void {
  meter.begin(stage, 10);
  clock.ms += onceMs;
  for (let part = 1; part <= parts; part++) {
    clock.ms += partMs;
    meter.advance(part, 10, part / 10);
  }
}

describe('the time left', () => {
  it('is the forecast from the beginning on', () => {
    const { reports, meter } = makeMeter();
    meter.plan(work, false);
    meter.begin('decode', 1);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(100, 6);
  });

  it('does not extrapolate what is paid once', () => {
    const { reports, ...scene } = makeMeter();
    scene.meter.plan(work, false);
    // A session is opened for a minute, then all goes as expected: 90 seconds are left after the decoding.
    goThrough(scene, 'decode', { onceMs: 60_000, partMs: 1_000 });
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(90, 6);
    goThrough(scene, 'invert', { onceMs: 60_000, partMs: 4_000, parts: 2 });
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(0.8 * 40 + 50, 6);
  });

  it('expects once more what was paid once before, in each stage', () => {
    const { reports, meter } = makeMeter();
    const paid = Object.fromEntries(
      plannedStages.map((stage) => [stage, { ...work[stage], onceSeconds: 5 }]),
    ) as unknown as Forecast;
    meter.plan(paid, true);
    meter.begin('decode', 1);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(120, 6);
  });

  it.each([
    ['a guess', false],
    ['what earlier edits took', true],
  ])('comes to what the machine does today, however wrong %s was', (_, isMeasured) => {
    const { reports, ...scene } = makeMeter();
    scene.meter.plan(work, isMeasured);
    // Five times as slow: 500 seconds in all.
    goThrough(scene, 'decode', { partMs: 5_000 });
    const ratio = (reports.at(-1)?.etaSeconds ?? 0) / 450;
    expect(ratio).toBeGreaterThan(isMeasured ? 0.5 : 0.9);
    goThrough(scene, 'invert', { partMs: 20_000, parts: 3 });
    expect((reports.at(-1)?.etaSeconds ?? 0) / 390).toBeGreaterThan(isMeasured ? 0.75 : 0.9);
    expect((reports.at(-1)?.etaSeconds ?? 0) / 390).toBeLessThan(1.05);
  });

  it('of a stage that goes otherwise than the ones before is its own', () => {
    const { reports, ...scene } = makeMeter();
    scene.meter.plan(work, false);
    goThrough(scene, 'decode', { partMs: 1_000 });
    // Twice what was expected of the inversion.
    goThrough(scene, 'invert', { partMs: 8_000, parts: 9 });
    const own = 8;
    const later = 50 * ((9 + 8 * 8) / (9 + 4 * 8));
    expect(reports.at(-1)?.etaSeconds).toBeGreaterThan(0.9 * (own + later));
    expect(reports.at(-1)?.etaSeconds).toBeLessThan(1.1 * (own + later));
  });

  it('follows the work that turns out to be left', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work, true);
    meter.begin('decode', 1);
    meter.begin('invert', 10);
    meter.correct({ invert: { seconds: 80, onceSeconds: 0 } });
    clock.ms = 200;
    meter.advance(0, 10, 0);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(130, 6);
  });

  it('keeps what it has timed where the work of the stage that is on turns out to be twice as much', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan({ ...work, invert: { seconds: 40, onceSeconds: 0 } }, true);
    meter.begin('invert', 10);
    for (let part = 1; part <= 5; part++) {
      clock.ms += 4_000;
      meter.advance(part, 10, part / 10);
    }
    const before = reports.at(-1)?.etaSeconds ?? NaN;
    meter.correct({ invert: { seconds: 80, onceSeconds: 0 } });
    clock.ms += 4_000;
    meter.advance(6, 20, 6 / 20);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(before + 40 - 4, 6);
  });

  it('hardly follows a calibration, whose passes take longer, and then the passes after it', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(workOf({ decode: 0, invert: 100, edit: 100, encode: 0 }), true);
    meter.begin('invert', 10);
    meter.beginCalibration();
    clock.ms = 2_000;
    meter.advance(0, 10, 0.01);
    clock.ms = 20_000;
    meter.advance(0, 10, 0.1);
    expect(reports.at(-1)?.etaSeconds).toBeGreaterThan(190);
    expect(reports.at(-1)?.etaSeconds).toBeLessThan(220);
    meter.endCalibration();
    clock.ms = 21_000;
    meter.advance(1, 10, 0.11);
    clock.ms = 50_000;
    meter.advance(4, 10, 0.4);
    // 160 seconds of work at the pace of the inversion, which is as expected.
    expect(reports.at(-1)?.etaSeconds).toBeGreaterThan(155);
    expect(reports.at(-1)?.etaSeconds).toBeLessThan(170);
    // The work of the stage is what it takes at that pace, and the calibration's delay was paid once.
    clock.ms = 110_000;
    meter.begin('edit', 1);
    expect(meter.measured.invert?.seconds).toBeCloseTo(100, 0);
    expect(meter.measured.invert?.onceSeconds).toBeCloseTo(10, 0);
  });

  it('follows a calibration where nothing is known but a guess', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(workOf({ decode: 0, invert: 100, edit: 100, encode: 0 }), false);
    meter.begin('invert', 10);
    meter.beginCalibration();
    clock.ms = 2_000;
    meter.advance(0, 10, 0.01);
    clock.ms = 20_000;
    meter.advance(0, 10, 0.1);
    expect(reports.at(-1)?.etaSeconds).toBeGreaterThan(320);
  });

  it('counts from where a resumed edit is, in the middle of a stage', () => {
    const { reports, clock, meter } = makeMeter();
    meter.plan(work, true);
    meter.begin('invert', 4, 3, 0.75);
    expect(reports.at(-1)).toMatchObject({ step: 3, progress: 0.4 });
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(60, 6);
    clock.ms = 10_000;
    meter.advance(4, 4, 1);
    expect(reports.at(-1)?.progress).toBe(0.5);
  });

  it('is nothing at the end', () => {
    const { reports, ...scene } = makeMeter();
    scene.meter.plan(work, false);
    for (const stage of plannedStages) goThrough(scene, stage, { partMs: 100 });
    scene.meter.finish();
    expect(reports.at(-1)).toMatchObject({ progress: 1, etaSeconds: 0 });
  });
});

describe('what a stage took', () => {
  it('is told apart: its work, and what was paid once', () => {
    const scene = makeMeter();
    scene.meter.plan(work, true);
    goThrough(scene, 'decode', { onceMs: 3_000, partMs: 500 });
    goThrough(scene, 'invert', { partMs: 100 });
    scene.meter.finish();
    const { decode, invert } = scene.meter.measured;
    expect(decode?.seconds).toBeCloseTo(5, 6);
    expect(decode?.onceSeconds).toBeCloseTo(3, 6);
    expect(invert?.seconds).toBeCloseTo(1, 6);
    expect(Object.keys(scene.meter.stageSeconds)).toEqual(['load', 'decode', 'invert']);
  });

  it('has no part in its throughput where a graph is loaded in the middle of it', () => {
    const { reports, ...scene } = makeMeter();
    scene.meter.plan(work, false);
    goThrough(scene, 'decode', { partMs: 1_000 });
    goThrough(scene, 'invert', { partMs: 4_000, parts: 5 });
    const before = reports.at(-1)?.etaSeconds ?? 0;
    scene.clock.ms += 30_000;
    scene.meter.paidOnce(30);
    scene.meter.advance(5, 10, 0.5);
    expect(reports.at(-1)?.etaSeconds).toBeCloseTo(before, 6);
    for (let part = 6; part <= 10; part++) {
      scene.clock.ms += 4_000;
      scene.meter.advance(part, 10, part / 10);
    }
    scene.meter.finish();
    expect(scene.meter.measured.invert?.seconds).toBeCloseTo(40, 6);
    expect(scene.meter.measured.invert?.onceSeconds).toBeCloseTo(30, 6);
  });

  it('is told apart where all of the work is done at once, as far as the opening of its session is known', () => {
    const scene = makeMeter();
    scene.meter.plan(work, false);
    scene.meter.begin('decode', 4);
    scene.clock.ms += 2_000;
    scene.meter.paidOnce(2);
    scene.clock.ms += 3_000;
    scene.meter.advance(4, 4, 1);
    scene.meter.finish();
    expect(scene.meter.measured.decode).toEqual({ seconds: 3, onceSeconds: 2 });
  });

  it('is not known where an earlier process had begun it', () => {
    const { meter, clock } = makeMeter();
    meter.plan(work, true);
    meter.begin('edit', 4, 2, 0.5);
    clock.ms += 1_000;
    meter.advance(4, 4, 1);
    meter.finish();
    expect(meter.measured).toEqual({});
  });
});

it('knows every stage of the protocol', () => {
  expect(['load', ...plannedStages]).toEqual([...editStages]);
});
