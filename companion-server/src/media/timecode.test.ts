import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTimecode, parseTimecode, timecodeAfter } from './timecode.ts';

const rate = (numerator: number, denominator = 1) => ({ numerator, denominator });
const ntsc = rate(30_000, 1001);
const ntsc60 = rate(60_000, 1001);
const film = rate(24_000, 1001);

describe('timecodes', () => {
  test.each([
    ['00:00:59;29', 1, ntsc, '00:01:00;02'],
    ['00:09:59;29', 1, ntsc, '00:10:00;00'],
    ['01:00:00;00', 107_892, ntsc, '02:00:00;00'],
    ['00:00:59;59', 1, ntsc60, '00:01:00;04'],
    ['00:00:59:29', 1, ntsc, '00:01:00:00'],
    ['23:59:59:24', 1, rate(25), '00:00:00:00'],
    ['10:00:00:00', 24, film, '10:00:01:00'],
    ['10:00:00:00', 49, rate(50), '10:00:00:49'],
    ['01:00:00.02', 0, ntsc, '01:00:00;02'],
  ])('%s + %i', (start, count, frameRate, expected) => {
    expect(timecodeAfter(start, count, frameRate)).toBe(expected);
  });

  test.each([
    ['00:01:00;00', ntsc],
    ['00:01:00;03', ntsc60],
    ['00:00:00;00', rate(25)],
    ['00:00:00;00', film],
    ['00:00:00:25', rate(25)],
    ['24:00:00:00', rate(25)],
    ['00:60:00:00', rate(25)],
    ['1:00:00:00', rate(25)],
    ['soon', rate(25)],
  ])('%s is no address', (text, frameRate) => {
    expect(timecodeAfter(text, 0, frameRate)).toBeNull();
  });

  test('every address comes back, and the one after it is the next', () => {
    const rates = [film, rate(24), rate(25), ntsc, rate(30), rate(50), ntsc60, rate(60)];
    fc.assert(
      fc.property(fc.constantFrom(...rates), fc.boolean(), fc.nat(2_000_000), (frameRate, wantsDrop, frames) => {
        const isDropFrame = wantsDrop && (frameRate === ntsc || frameRate === ntsc60);
        const text = formatTimecode({ frames, isDropFrame }, frameRate);
        expect(parseTimecode(text, frameRate)).toEqual({ frames, isDropFrame });
        expect(timecodeAfter(text, 1, frameRate)).toBe(formatTimecode({ frames: frames + 1, isDropFrame }, frameRate));
      }),
    );
  });

  test('drop-frame stays with the clock for a day', () => {
    const hours = Array.from({ length: 24 }, (_, hour) =>
      parseTimecode(`${String(hour).padStart(2, '0')}:00:00;00`, ntsc),
    );
    for (const [hour, code] of hours.entries()) {
      const seconds = ((code?.frames ?? NaN) * 1001) / 30_000;
      expect(Math.abs(seconds - 3600 * hour)).toBeLessThan(0.1);
    }
  });
});
