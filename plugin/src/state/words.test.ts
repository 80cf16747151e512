import { describe, expect, test } from 'vitest';
import { FieldError } from '../../../protocol/fields.ts';
import { emptyForm } from './form.ts';
import { readPersisted, writeThroughputs } from './persisted.ts';
import { guessSeconds, measureThroughput } from './throughput.ts';
import { builtInPresets, presetOf, readPresets, writePresets } from './presets.ts';

describe('presets', () => {
  test('come back from a file as they went into it, built-in ones left out', () => {
    const own = presetOf({ ...emptyForm('h264'), prompt: 'a wolf' }, 'own-0', 'Wolf');
    const text = writePresets([...builtInPresets, own]);
    expect(readPresets(text, (index) => `own-${index}`)).toEqual([own]);
  });

  test('from a file that is none are refused with what is wrong', () => {
    expect(() => readPresets('nonsense', String)).toThrow(FieldError);
    expect(() => readPresets('{"format":"other"}', String)).toThrow(/format/);
  });
});

describe('what is kept', () => {
  test('is read as far as it can be, with a complaint about the rest', () => {
    const throughputs = { demo: { secondsPerEvaluation: 1, evaluationsPerFrameStep: 3, steps: 50 } };
    const texts: Record<string, string> = { throughputs: writeThroughputs(throughputs), tasks: '[{"key":1}]' };
    const { kept, complaints } = readPersisted((name) => texts[name] ?? null);
    expect(kept).toEqual({ presets: [], tasks: [], throughputs, form: {} });
    expect(complaints).toHaveLength(1);
  });
});

describe('a guess', () => {
  test('grows with frames and steps as the measured edit did', () => {
    const throughput = measureThroughput({
      device: 'cpu',
      frames: 10,
      frameRate: { numerator: 25, denominator: 1 },
      outputSize: { width: 1, height: 1 },
      workingSize: { width: 1, height: 1 },
      chosen: { guideBy: 'negative', guidance: 1, steps: 20, inversionSteps: 20 },
      unetEvaluations: { inversion: 200, sampling: 600 },
      reconstructionPsnr: null,
      frameIndices: null,
      stageSeconds: { invert: 20, edit: 60 },
      peakMemoryBytes: 1,
      notices: [],
    });
    if (throughput === null) throw new Error('There is no throughput.');
    expect(guessSeconds(throughput, 10, { steps: null })).toBeCloseTo(80);
    expect(guessSeconds(throughput, 20, { steps: 10 })).toBeCloseTo(80);
    expect(guessSeconds(undefined, 10, { steps: 10 })).toBeNull();
    expect(guessSeconds(throughput, null, { steps: 10 })).toBeNull();
  });
});
