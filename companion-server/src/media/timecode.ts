// SMPTE timecodes (SMPTE ST 12-1): the address of a frame in its source. Pure.

import { rationalValue, type Rational } from './frame.ts';

export interface Timecode {
  /** Frames from 00:00:00:00 on, counted in addresses that exist: a drop-frame timecode leaves some out. */
  readonly frames: number;
  /** Two addresses a minute are left out (four at 60), but not in every tenth, so that 29.97 frames keep the clock. */
  readonly isDropFrame: boolean;
}

const written = /^(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2,3})$/;

/** Frames that a second of the address has: 24 for 23.976. */
function nominalRate(rate: Rational): number {
  return Math.round(rationalValue(rate));
}

/** Addresses that are left out in a minute. Drop-frame exists for 29.97 and 59.94 frames a second alone. */
function droppedPerMinute(rate: Rational): number {
  const isThousandAndFirst = rate.denominator % 1001 === 0;
  const nominal = nominalRate(rate);
  return isThousandAndFirst && (nominal === 30 || nominal === 60) ? nominal / 15 : 0;
}

/** Null for what is no address of that rate. A semicolon or a point before the frames means drop-frame. */
export function parseTimecode(text: string, rate: Rational): Timecode | null {
  const match = written.exec(text.trim());
  if (match === null) return null;
  const [hours = 0, minutes = 0, seconds = 0, frame = 0] = [1, 2, 3, 5].map((i) => Number(match[i]));
  const nominal = nominalRate(rate);
  if (hours > 23 || minutes > 59 || seconds > 59 || frame >= nominal) return null;
  const dropped = droppedPerMinute(rate);
  const isDropFrame = match[4] !== ':' && dropped > 0;
  if (match[4] !== ':' && !isDropFrame) return null;
  const counted = ((hours * 60 + minutes) * 60 + seconds) * nominal + frame;
  if (!isDropFrame) return { frames: counted, isDropFrame };
  // The first addresses of most minutes do not exist.
  if (seconds === 0 && frame < dropped && minutes % 10 !== 0) return null;
  const allMinutes = hours * 60 + minutes;
  return { frames: counted - dropped * (allMinutes - Math.floor(allMinutes / 10)), isDropFrame };
}

/** Hours begin again after 23. */
export function formatTimecode({ frames, isDropFrame }: Timecode, rate: Rational): string {
  const nominal = nominalRate(rate);
  const dropped = isDropFrame ? droppedPerMinute(rate) : 0;
  const perMinute = 60 * nominal - dropped;
  const perTenMinutes = 10 * perMinute + dropped;
  const perDay = 144 * perTenMinutes;
  const within = ((frames % perDay) + perDay) % perDay;
  const [tens, rest] = [Math.floor(within / perTenMinutes), within % perTenMinutes];
  // The first of ten minutes drops nothing.
  const later = rest < 60 * nominal ? 0 : 1 + Math.floor((rest - 60 * nominal) / perMinute);
  const address = within + dropped * (9 * tens + later);
  const parts = [
    Math.floor(address / (3600 * nominal)),
    Math.floor(address / (60 * nominal)) % 60,
    Math.floor(address / nominal) % 60,
  ];
  const two = (value: number) => String(value).padStart(2, '0');
  return `${parts.map(two).join(':')}${isDropFrame ? ';' : ':'}${two(address % nominal)}`;
}

/** The address `count` frames after `text`; null where `text` is no address of that rate. */
export function timecodeAfter(text: string, count: number, rate: Rational): string | null {
  const start = parseTimecode(text, rate);
  return start === null ? null : formatTimecode({ ...start, frames: start.frames + count }, rate);
}
