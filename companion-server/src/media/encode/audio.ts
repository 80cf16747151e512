// The clip's sound in the result. It is copied bit by bit if all of it is kept and the container can hold it. Otherwise it
// is cut to the picture: at the sample if that loses nothing, else with a notice if the codec changes.

import type { AudioStream, ClipInfo } from '../probe/clip-info.ts';
import type { FfmpegInput } from '../ffmpeg/ffmpeg.ts';
import { fileUrl, guardedInputOptions } from '../ffmpeg/input-guard.ts';

export type Container = 'mov' | 'mp4' | 'matroska';

/** How a sound track is handled: `convert` always decodes it, `keep` decodes it only if necessary, `drop` leaves it out. */
export type TrackChoice = 'keep' | 'convert' | 'drop';

export interface AudioSource {
  readonly clip: ClipInfo;
  /** Counted from the clip's first frame. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** One per sound track of the clip. Default: keep them all. */
  readonly choices?: readonly TrackChoice[];
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
  matroska: /^(aac|mp2|mp3|ac3|eac3|dts|truehd|alac|flac|opus|vorbis|pcm_(s16|s24|s32|f32|f64)le|pcm_u8)$/,
};

/** As users know them. */
const containerNames: Readonly<Record<Container, string>> = { mov: 'MOV', mp4: 'MP4', matroska: 'MKV' };

/** Codecs that lose nothing when they are decoded and encoded again. */
const lossless = /^(alac|flac|pcm_.*)$/;

const replacement = {
  mov: { options: ['pcm_s24le'], name: '24-bit PCM' },
  mp4: { options: ['aac', '256k'], name: 'AAC' },
  matroska: { options: ['flac'], name: 'FLAC' },
} as const;

/** A range this close to the whole clip is the whole clip: every packet is copied. */
const wholeToleranceSeconds = 0.001;

/** Samples in the longest packet of a codec that is cut between packets. */
const packetSamples: Readonly<Record<string, number>> = { aac: 2048, mp3: 1152, ac3: 1536, eac3: 1536, opus: 5760 };

/**
 * How much earlier to begin reading than the range does: a search in a file follows the picture, and the sound of the same
 * moment may be stored before it.
 */
const seekMarginSeconds = 2;

/** `copied` as stored, `cut` between packets, `recoded` by the same codec without loss, `converted` to another one. */
type Treatment = 'copied' | 'cut' | 'recoded' | 'converted';

interface Track {
  readonly stream: AudioStream;
  /** 0-based, among the sound tracks of the clip. */
  readonly index: number;
  readonly treatment: Treatment;
}

/** The sound tracks of `source`, as ffmpeg's inputs from number `inputIndex` on. Nothing when there is no sound. */
export function planAudio(source: AudioSource | null, container: Container, inputIndex: number): AudioPlan {
  const none = { inputs: [], outputOptions: [], notices: [] };
  if (source === null) return none;
  const { clip, choices = [] } = source;
  const range = rangeOf(source);
  const tracks = clip.audio.flatMap((stream, index) =>
    choices[index] === 'drop'
      ? []
      : [{ stream, index, treatment: treat(stream, container, range.isWhole, choices[index] ?? 'keep') }],
  );
  const dropped = clip.audio.filter((_, i) => choices[i] === 'drop').map(droppedNotice);
  if (tracks.length === 0) return { ...none, notices: dropped };
  const needs = (decoded: boolean) => tracks.some(({ treatment }) => isDecoded(treatment) === decoded);
  const packets = needs(false) ? [packetsInput(clip, range)] : [];
  const samples = needs(true) ? [samplesInput(clip, range)] : [];
  const inputOf = ({ treatment }: Track) => inputIndex + (isDecoded(treatment) ? packets.length : 0);
  return {
    inputs: [...packets, ...samples],
    outputOptions: [
      ...tracks.flatMap((track) => ['-map', `${inputOf(track)}:a:${track.index}`]),
      ...tracks.flatMap((track, i) => trackOptions(track, i, container, range)),
      ...(range.isWhole ? [] : ['-copypriorss', '0']),
      // In FFmpeg of 2018, FLAC and Opus in MP4 are experimental.
      ...(container === 'mp4' ? ['-strict', 'experimental'] : []),
    ],
    notices: [...tracks.flatMap((track) => treatmentNotice(track, container, range)), ...dropped],
  };
}

interface SoundRange {
  /** The position for ffmpeg's `-ss`, which counts from the start of the file's earliest stream. */
  readonly startSeconds: number;
  readonly lengthSeconds: number;
  readonly isWhole: boolean;
}

function rangeOf({ clip, startSeconds, endSeconds }: AudioSource): SoundRange {
  const firstPicture = clip.frameTimes?.[0] ?? clip.fileStartSeconds;
  const start = startSeconds + firstPicture - clip.fileStartSeconds;
  return {
    startSeconds: Math.max(0, start),
    lengthSeconds: endSeconds - startSeconds,
    isWhole: start <= wholeToleranceSeconds && endSeconds >= clip.durationSeconds - wholeToleranceSeconds,
  };
}

function treat({ codec }: AudioStream, container: Container, isWhole: boolean, choice: TrackChoice): Treatment {
  if (choice === 'convert' || !heldBy[container].test(codec)) return 'converted';
  if (isWhole) return 'copied';
  if (lossless.test(codec)) return 'recoded';
  return container === 'mp4' ? 'cut' : 'converted';
}

function isDecoded(treatment: Treatment): boolean {
  return treatment === 'recoded' || treatment === 'converted';
}

/**
 * For copied packets: time 0 is the beginning of the range. Packets before it, and those that would last longer than the
 * picture, are left out.
 */
function packetsInput({ path, audio }: ClipInfo, range: SoundRange): FfmpegInput {
  const margin = marginOf(range);
  const longest = Math.max(...audio.map(packetSeconds));
  const seek = ['-itsoffset', (-margin).toFixed(6), '-ss', (range.startSeconds - margin).toFixed(6)];
  const length = range.isWhole ? range.lengthSeconds : Math.max(0, range.lengthSeconds - longest);
  const options = [...(range.isWhole ? [] : seek), '-t', length.toFixed(6)];
  return { source: fileUrl(path), options: [...guardedInputOptions, ...options] };
}

function packetSeconds({ codec, sampleRate }: AudioStream): number {
  return sampleRate > 0 ? (packetSamples[codec] ?? 0) / sampleRate : 0;
}

/** For sound that is decoded: it begins `marginOf` the range before it. */
function samplesInput({ path }: ClipInfo, range: SoundRange): FfmpegInput {
  const seek = range.startSeconds - marginOf(range);
  const options = seek > 0 ? ['-ss', seek.toFixed(6)] : [];
  return { source: fileUrl(path), options: [...guardedInputOptions, ...options] };
}

function marginOf({ startSeconds }: SoundRange): number {
  return Math.min(seekMarginSeconds, startSeconds);
}

function trackOptions({ stream, treatment }: Track, i: number, container: Container, range: SoundRange): string[] {
  if (!isDecoded(treatment)) return [`-c:a:${i}`, 'copy'];
  const margin = marginOf(range);
  const filters = [
    `atrim=start=${margin.toFixed(6)}:end=${(margin + range.lengthSeconds).toFixed(6)}`,
    `asetpts=PTS-${margin.toFixed(6)}/TB`,
    // Silence where the sound begins later than the picture, or has gaps.
    'aresample=async=1:first_pts=0',
  ];
  const [codec, bitRate] = treatment === 'recoded' ? [stream.codec] : replacement[container].options;
  return [
    ...[`-filter:a:${i}`, filters.join(','), `-c:a:${i}`, codec],
    ...(bitRate === undefined ? [] : [`-b:a:${i}`, bitRate]),
  ];
}

function treatmentNotice(
  { stream: { codec }, treatment }: Track,
  container: Container,
  { isWhole }: SoundRange,
): string[] {
  if (treatment === 'cut') {
    return [`The clip's ${codec} sound was cut between its packets, up to 0.05 s inside the range.`];
  }
  if (treatment !== 'converted') return [];
  const { name } = replacement[container];
  if (!heldBy[container].test(codec)) {
    return [`The clip's ${codec} sound does not fit into ${containerNames[container]}; it was converted to ${name}.`];
  }
  return isWhole
    ? [`The clip's ${codec} sound cannot be copied by this FFmpeg; it was converted to ${name}.`]
    : [`The clip's ${codec} sound was converted to ${name}, so that it could be cut exactly.`];
}

function droppedNotice({ codec }: AudioStream): string {
  return `The clip's ${codec} sound cannot be read by this FFmpeg; the result is without it.`;
}
