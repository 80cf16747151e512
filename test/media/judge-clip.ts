// One clip through all that an edit does with it but the edit itself: probed, a range in its middle decoded and compared with
// an independent decode, and encoded with its sound.

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { EditError } from '../../companion-server/src/errors.ts';
import type { ClipInfo } from '../../companion-server/src/media/probe/clip-info.ts';
import { openEncoder, rehearseEncoder } from '../../companion-server/src/media/encode/encode.ts';
import { rationalValue, type Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { decodeFrames, type DecodingDamage } from '../../companion-server/src/media/decode/frames.ts';
import { sizeWithin } from '../../companion-server/src/media/decode/picture.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { decodeAlone, type IndependentDecode } from './independent-decode.ts';
import { measureResult } from './measure-result.ts';

export type Verdict = 'right' | 'refused' | 'wrong';

export interface Judgement {
  readonly verdict: Verdict;
  /** Frames and rate where they are known. */
  readonly facts: string;
  /** Why it was refused or is wrong; notices of a clip that is right. */
  readonly reason: string;
}

export interface JudgeOptions {
  /** For results; they are removed. */
  readonly folder: string;
  /** What is judged. Default: the product's own. */
  readonly decode?: typeof decodeFrames;
}

/** Frames of the range that is looked at. */
const rangeFrames = 12;
/** Longest side of compared pictures, in pixels. */
const comparedSide = 320;
/** How long the independent decode may take. Of a longer clip, the frames that came are compared. */
const aloneMs = 180_000;

/** Of any codec; what an encoder needs to begin with is shorter. */
const longestPacketSeconds = 0.13;

class WrongError extends Error {
  override readonly name = 'WrongError';
}

export async function judgeClip(file: string, options: JudgeOptions): Promise<Judgement> {
  let facts = '';
  let isEncoding = false;
  try {
    const clip = await probeClip(file);
    const { numerator, denominator } = clip.frameRate;
    facts = `${clip.frameCount} at ${numerator}/${denominator}${clip.variableRate ? ' (varies)' : ''}`;
    const notices = [...clip.notices, ...(await compareFrames(clip, options))];
    for (const codec of ['prores', 'h264'] as const) {
      const chosen = await rehearseEncoder(resultPath(file, codec, options), encoding(clip, codec));
      isEncoding = true;
      notices.push(...(await compareResult(clip, codec, chosen, options)));
      isEncoding = false;
    }
    return { verdict: 'right', facts, reason: [...new Set(notices)].join(' ') };
  } catch (error) {
    const isRefused = error instanceof EditError && !isEncoding;
    if (!isRefused && !(error instanceof EditError) && !(error instanceof WrongError)) throw error;
    const reason = error instanceof EditError ? `${error.code}: ${error.message}` : error.message;
    return { verdict: isRefused ? 'refused' : 'wrong', facts, reason };
  }
}

function rangeOf({ frameCount }: ClipInfo): { startFrame: number; endFrame: number } {
  const startFrame = Math.min(frameCount - 1, Math.floor(frameCount * 0.55));
  return { startFrame, endFrame: Math.min(frameCount, startFrame + rangeFrames) };
}

/** Throws WrongError where a frame is another one than an independent decode has there. Returns notices. */
async function compareFrames(clip: ClipInfo, { decode = decodeFrames }: JudgeOptions): Promise<readonly string[]> {
  const size = sizeWithin(clip.displaySize, comparedSide);
  const range = rangeOf(clip);
  const damages: DecodingDamage[] = [];
  const ours: Rgb24Frame[] = [];
  const onDamage = (damage: DecodingDamage) => void damages.push(damage);
  for await (const frame of decode(clip, { ...range, size, onDamage })) ours.push(frame);
  const count = range.endFrame - range.startFrame;
  if (ours.length !== count) throw new WrongError(`${ours.length} frames came instead of ${count}.`);
  const alone = await decodeAlone(clip, size, aloneMs);
  requireRate(clip, alone);
  for (const frame of [ours[0], ours.at(-1)]) {
    if (frame !== undefined) requireSame(clip, frame, alone);
  }
  return damages.map(({ missing, errors }) => `Damaged: ${missing} missing, ${errors} errors.`);
}

/** The same frames must last as long as in the file. */
function requireRate(clip: ClipInfo, { frames, isWhole }: IndependentDecode): void {
  const stored = clip.frameTimes?.length ?? clip.frameCount;
  if (isWhole && Math.abs(frames.length - stored) > 0.02 * stored) {
    throw new WrongError(`${stored} frames were counted, ${frames.length} can be decoded.`);
  }
  const [first, last] = [frames[0]?.time ?? NaN, frames.at(-1)?.time ?? NaN];
  const seconds = (clip.frameCount - 1) / rationalValue(clip.frameRate);
  const isOff = Math.abs(last - first - seconds) > Math.max(0.1, 0.02 * seconds);
  if (isWhole && frames.length > 1 && clip.frameTimes !== null && isOff) {
    throw new WrongError(`It lasts ${(last - first).toFixed(3)} s and would last ${seconds.toFixed(3)} s.`);
  }
}

function requireSame(clip: ClipInfo, frame: Rgb24Frame, { frames, isWhole }: IndependentDecode): void {
  const origin = frames[0]?.time ?? 0;
  const due = origin + (frame.index + 0.5) / rationalValue(clip.frameRate);
  const hasTimes = clip.frameTimes !== null && frames.every(({ time }) => Number.isFinite(time));
  const place = hasTimes ? frames.findLastIndex(({ time }) => time < due) : frame.index;
  if (!isWhole && place >= frames.length - 1) return;
  const md5 = createHash('md5').update(frame.rgb).digest('hex');
  if (frames[place]?.md5 === md5) return;
  const found = frames.flatMap((other, i) => (other.md5 === md5 ? [i] : []));
  const where = found.length === 0 ? 'no frame of the clip' : `frame ${found.join(', ')}`;
  throw new WrongError(`Frame ${frame.index} should be number ${place} of the file, and is ${where}.`);
}

function encoding(clip: ClipInfo, codec: 'prores' | 'h264') {
  const { startFrame, endFrame } = rangeOf(clip);
  const rate = rationalValue(clip.frameRate);
  return {
    ...clip.frameSize,
    frameRate: clip.frameRate,
    codec,
    colour: clip.colour,
    sampleAspect: clip.sampleAspect,
    inputSize: sizeWithin(clip.displaySize, comparedSide),
    audioFrom: { clip, startSeconds: startFrame / rate, endSeconds: endFrame / rate },
  };
}

function resultPath(file: string, codec: 'prores' | 'h264', { folder }: JudgeOptions): string {
  return path.join(folder, `${path.basename(file)}${codec === 'prores' ? '.mov' : '.mp4'}`);
}

/** Throws WrongError where the result has other frames or more sound than the range. Returns notices. */
async function compareResult(
  clip: ClipInfo,
  codec: 'prores' | 'h264',
  chosen: Awaited<ReturnType<typeof rehearseEncoder>>,
  options: JudgeOptions,
): Promise<readonly string[]> {
  const range = rangeOf(clip);
  const file = resultPath(clip.path, codec, options);
  const encoder = await openEncoder(file, chosen);
  try {
    for await (const frame of decodeFrames(clip, { ...range, size: chosen.inputSize ?? null })) {
      await encoder.write(frame);
    }
    await encoder.finish();
    const { frames, seconds, sound } = await measureResult(file);
    const count = range.endFrame - range.startFrame;
    const expected = count / rationalValue(clip.frameRate);
    if (frames !== count) throw new WrongError(`The result has ${frames} frames instead of ${count}.`);
    if (Math.abs(seconds - expected) > 0.002 + 0.001 * expected) {
      throw new WrongError(`The result lasts ${seconds} s instead of ${expected.toFixed(3)} s.`);
    }
    // Packets that are copied whole may end behind the picture, by less than one of them.
    const isWhole = count === clip.frameCount;
    if (sound !== null && sound.endSeconds > expected + (isWhole ? longestPacketSeconds : 0.002)) {
      throw new WrongError(
        `The result's sound ends at ${sound.endSeconds} s, its picture at ${expected.toFixed(3)} s.`,
      );
    }
    if (sound !== null && sound.startSeconds < -longestPacketSeconds) {
      throw new WrongError(`The result keeps sound from ${-sound.startSeconds} s before its picture.`);
    }
    return encoder.notices;
  } finally {
    await encoder.abort();
    await rm(file, { force: true });
  }
}
