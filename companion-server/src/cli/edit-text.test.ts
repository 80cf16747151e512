import { expect, test } from 'vitest';
import { formatBar, formatLine } from './edit-text.ts';

const inverting = {
  phase: 'edit',
  progress: {
    stage: 'invert',
    step: 12,
    steps: 50,
    progress: 0.255,
    etaSeconds: 125.2,
    reconstructionPsnr: null,
  },
} as const;

test('a bar shows stage, share, step and time left', () => {
  expect(formatBar(inverting, 120)).toBe(`invert   [${'#'.repeat(8)}${'-'.repeat(22)}]  25 %  step 12/50  2:06 left`);
});

test('an inversion says how well the clip is found again, once that is known', () => {
  const progress = { ...inverting.progress, reconstructionPsnr: 41.6 };
  expect(formatLine({ phase: 'edit', progress })).toBe('invert  25 %  step 12/50  2:06 left  found again to 42 dB');
  const later = { ...progress, stage: 'edit' } as const;
  expect(formatLine({ phase: 'edit', progress: later })).not.toContain('dB');
});

test('a bar never wraps', () => {
  for (const columns of [20, 40, 60, 80]) {
    expect(formatBar(inverting, columns).length).toBeLessThan(columns);
  }
});

test('a line has no bar, and no time where there is no estimate', () => {
  const progress = { ...inverting.progress, etaSeconds: null };
  expect(formatLine({ phase: 'edit', progress })).toBe('invert  25 %  step 12/50');
  expect(formatLine({ phase: 'upload', doneBytes: 5, totalBytes: 10 })).toBe('upload  50 %');
  expect(formatLine({ phase: 'queue' })).toBe('queue');
});
