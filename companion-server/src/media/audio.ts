// The clip's sound in the result: copied bit by bit where the container can hold it, else converted, and said so.

import type { AudioStream, ClipInfo } from './clip-info.ts';
import type { FfmpegInput } from './ffmpeg.ts';
import { fileUrl, guardedInputOptions } from './input-guard.ts';

export type Container = 'mov' | 'mp4';

export interface AudioSource {
  readonly clip: ClipInfo;
  /** Counted from the clip's first frame. */
  readonly startSeconds: number;
  readonly endSeconds: number;
}

export interface AudioPlan {
  readonly inputs: readonly FfmpegInput[];
  readonly outputOptions: readonly string[];
  readonly notices: readonly string[];
}

/** Codecs that every ffmpeg since 4.0 writes into the container and that Premiere reads there. */
const heldBy: Readonly<Record<Container, RegExp>> = {
  mov: /^(aac|mp3|ac3|eac3|alac|pcm_(s16|s24|s32|f32|f64)(le|be)|pcm_(s8|u8|alaw|mulaw))$/,
  mp4: /^(aac|mp3|ac3|eac3|alac|flac|opus)$/,
};

const replacement = {
  mov: { options: ['pcm_s24le'], name: '24-bit PCM' },
  mp4: { options: ['aac', '256k'], name: 'AAC' },
} as const;

/** A range this close to the whole clip is the whole clip: every packet is copied. */
const wholeToleranceSeconds = 0.001;

/** All sound streams of `source`, as ffmpeg's input number `inputIndex`. Nothing when there is no sound. */
export function planAudio(
  source: AudioSource | null,
  container: Container,
  inputIndex: number,
): AudioPlan {
  if (source === null || source.clip.audio.length === 0) {
    return { inputs: [], outputOptions: [], notices: [] };
  }
  const { clip } = source;
  const converted = clip.audio.filter((stream) => !isHeld(stream, container));
  return {
    inputs: [
      { source: fileUrl(clip.path), options: [...guardedInputOptions, ...trimOptions(source)] },
    ],
    outputOptions: [
      ...['-map', `${inputIndex}:a`],
      ...clip.audio.flatMap((stream, i) => codecOptions(stream, i, container)),
    ],
    notices: converted.map(
      ({ codec }) =>
        `The clip's ${codec} sound does not fit into ${container.toUpperCase()}; it was converted to ${replacement[container].name}.`,
    ),
  };
}

function isHeld({ codec }: AudioStream, container: Container): boolean {
  return heldBy[container].test(codec);
}

function codecOptions(stream: AudioStream, i: number, container: Container): string[] {
  if (isHeld(stream, container)) return [`-c:a:${i}`, 'copy'];
  const [codec, bitRate] = replacement[container].options;
  return [`-c:a:${i}`, codec, ...(bitRate === undefined ? [] : [`-b:a:${i}`, bitRate])];
}

/** ffmpeg's `-ss` counts from the start of the file's earliest stream, our seconds from the first picture. */
function trimOptions({ clip, startSeconds, endSeconds }: AudioSource): string[] {
  const firstPicture = clip.frameTimes?.[0] ?? clip.fileStartSeconds;
  const start = startSeconds + firstPicture - clip.fileStartSeconds;
  const isWhole =
    startSeconds <= wholeToleranceSeconds &&
    endSeconds >= clip.durationSeconds - wholeToleranceSeconds;
  return [
    ...(start > wholeToleranceSeconds ? ['-ss', start.toFixed(6)] : []),
    ...(isWhole ? [] : ['-t', (endSeconds - startSeconds).toFixed(6)]),
  ];
}
