// Writes frames as a video file for editors: ProRes 422 HQ or H.264, whole or not at all.

import { once } from 'node:events';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { OutputCodec } from '../../../../protocol/edit-settings.ts';
import { EditError, throwIfCanceled } from '../../errors.ts';
import { openPart } from '../../files/write-whole.ts';
import { planAudio, type AudioPlan, type AudioSource, type Container, type TrackChoice } from './audio.ts';
import type { ColourTags } from '../probe/clip-info.ts';
import { colourCode, outputColour, scaleMatrix } from '../colour.ts';
import { FfmpegError, outputAdvice } from '../ffmpeg/ffmpeg-error.ts';
import { startFfmpeg } from '../ffmpeg/ffmpeg.ts';
import { requireRgb24, type Frame, type Picture, type Rational, type Size } from '../frame.ts';

export interface EncoderOptions extends Size {
  readonly frameRate: Rational;
  readonly codec: OutputCodec;
  /** The tags of the source; see `outputColour` for the few that a codec cannot carry. Default: none. */
  readonly colour?: ColourTags;
  /** Width of a pixel to its height. Default 1:1. */
  readonly sampleAspect?: Rational;
  /** Size of the frames that will be written, where it differs: they are scaled by Lanczos. */
  readonly inputSize?: Size;
  /** Where the sound comes from; null or left out for a silent result. */
  readonly audioFrom?: AudioSource | null;
  /** H.264's constant rate factor: 0 is lossless, 16 (the default) looks lossless. */
  readonly crf?: number;
  /** A small H.264 file to play and to step through: a keyframe in twelve frames, each of which refers to earlier ones only. */
  readonly isForPlayback?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Encoder {
  /** How the sound was handled, in sentences for the user. */
  readonly notices: readonly string[];
  /**
   * Takes the frame's bytes and settles when there is room for another. Frames come in order; `index` is not read. Throws
   * RangeError for a frame that is no rgb24 or has another size.
   */
  write(frame: Frame): Promise<void>;
  /** Completes the file and renames it to its final name. Throws like `write`; then no file is left behind. */
  finish(): Promise<void>;
  /** Ends ffmpeg and removes what was written. Never throws; does nothing after `finish`. */
  abort(): Promise<void>;
}

const noColour: ColourTags = { range: null, primaries: null, transfer: null, matrix: null };

/**
 * Starts writing `file`: .mov for ProRes; .mp4, .m4v or .mov for H.264. The size is kept to the pixel: odd edges,
 * which halved chroma cannot hold, are written as 4:4:4. Throws EditError `invalid-request` for another
 * ending and for the name of the clip that the sound comes from, `output-unwritable`, `disk-full`, `ffmpeg-missing`; CanceledError. `write` and `finish` throw the same and
 * FfmpegError `ffmpeg-failed`. Always end with `finish` or `abort`.
 */
export async function openEncoder(file: string, options: EncoderOptions): Promise<Encoder> {
  const started = await startEncoder(file, options);
  const { audio, write, complete, abort } = started;
  return { notices: audio.notices, write, finish: () => complete(true), abort };
}

/**
 * Encodes one black frame with all of the sound, with exactly these options, and keeps nothing, so that a failure of the
 * encoder or of a sound track shows before the work. Returns the options with which it succeeded: sound tracks that this
 * ffmpeg cannot copy are converted, those that it cannot read are dropped. Throws as `openEncoder` and `finish` do.
 */
export async function rehearseEncoder(file: string, options: EncoderOptions): Promise<EncoderOptions> {
  const { audioFrom = null } = options;
  if (audioFrom === null || (await succeeds(file, options))) {
    if (audioFrom === null) await rehearse(file, options);
    return options;
  }
  // If it fails without sound too, the picture causes the failure.
  const count = audioFrom.clip.audio.length;
  const allDropped = Array.from({ length: count }, (): TrackChoice => 'drop');
  await rehearse(file, { ...options, audioFrom: { ...audioFrom, choices: allDropped } });
  const choices = [...allDropped];
  for (let track = 0; track < count; track++) {
    for (const choice of ['keep', 'convert'] as const) {
      const alone = allDropped.with(track, choice);
      if (!(await succeeds(file, { ...options, audioFrom: { ...audioFrom, choices: alone } }))) continue;
      choices[track] = choice;
      break;
    }
  }
  const chosen = { ...options, audioFrom: { ...audioFrom, choices } };
  await rehearse(file, chosen);
  return chosen;
}

async function succeeds(file: string, options: EncoderOptions): Promise<boolean> {
  try {
    await rehearse(file, options);
    return true;
  } catch (error) {
    if (error instanceof FfmpegError && error.code !== 'disk-full') return false;
    throw error;
  }
}

async function rehearse(file: string, options: EncoderOptions): Promise<void> {
  const { write, complete, inputSize } = await startEncoder(file, options);
  const rgb = new Uint8Array(inputSize.width * inputSize.height * 3);
  await write({ ...inputSize, index: 0, pixelFormat: 'rgb24', rgb });
  await complete(false);
}

interface StartedEncoder {
  readonly audio: AudioPlan;
  readonly inputSize: Size;
  readonly write: (frame: Frame) => Promise<void>;
  /** Ends the file, and renames it to its final name or deletes it. */
  readonly complete: (isKept: boolean) => Promise<void>;
  readonly abort: () => Promise<void>;
}

async function startEncoder(file: string, options: EncoderOptions): Promise<StartedEncoder> {
  const container = containerOf(file, options.codec);
  refuseSource(file, options.audioFrom?.clip.path);
  throwIfCanceled(options.signal);
  const audio = planAudio(options.audioFrom ?? null, container, 1);
  const inputSize = options.inputSize ?? { width: options.width, height: options.height };
  const partial = await openPart(file, outputAdvice);
  const frames = new PassThrough();
  const run = await startFfmpeg({
    inputs: [{ source: frames, options: rawVideo(inputSize, options.frameRate) }, ...audio.inputs],
    outputOptions: [...['-map', '0:v:0', ...audio.outputOptions], ...videoOptions(options, container)],
    output: partial.path,
    purpose: 'write',
    file,
    signal: options.signal,
  }).catch(async (error: unknown) => {
    await partial.discard();
    throw error;
  });
  const abort = async () => {
    await run.stop();
    frames.destroy();
    await partial.discard();
  };
  frames.on('error', () => undefined); // The failure itself comes out of `run.done`.
  run.done.catch((error: unknown) => frames.destroy(error as Error));
  /** A failure leaves no file behind. */
  const guarded = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      await abort();
      throw error;
    }
  };
  return {
    audio,
    inputSize,
    abort,
    write: (frame) =>
      guarded(async () => {
        requireRgb24('openEncoder', frame);
        checkSize(frame, inputSize);
        if (frames.destroyed) await run.done;
        if (!frames.write(frame.rgb)) await once(frames, 'drain');
      }),
    complete: (isKept) =>
      guarded(async () => {
        if (!frames.destroyed) frames.end();
        await run.done;
        throwIfCanceled(options.signal);
        await (isKept ? partial.commit() : partial.discard());
      }),
  };
}

function refuseSource(file: string, source: string | undefined): void {
  if (source === undefined || path.resolve(file) !== path.resolve(source)) return;
  throw new EditError('invalid-request', `The result would replace the clip itself: "${file}".`, {
    hint: 'Choose another name for the output.',
  });
}

function containerOf(file: string, codec: OutputCodec): Container {
  const extension = path.extname(file).toLowerCase();
  if (extension === '.mov') return 'mov';
  if (codec === 'h264' && (extension === '.mp4' || extension === '.m4v')) return 'mp4';
  const allowed = codec === 'prores' ? '.mov' : '.mp4 or .mov';
  throw new EditError(
    'invalid-request',
    `The output must end in ${allowed} for ${codec === 'prores' ? 'ProRes' : 'H.264'}, got "${file}".`,
    { hint: `Change the ending to ${allowed}, or choose the other codec.` },
  );
}

function rawVideo({ width, height }: Size, { numerator, denominator }: Rational): string[] {
  return [
    ...['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', `${width}x${height}`],
    ...['-framerate', `${numerator}/${denominator}`],
  ];
}

function videoOptions(options: EncoderOptions, container: Container): string[] {
  const { width, height, codec, frameRate } = options;
  const source = options.colour ?? noColour;
  const colour = outputColour(source, options, codec);
  const aspect = options.sampleAspect ?? { numerator: 1, denominator: 1 };
  const filter = [
    `scale=${width}:${height}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp`,
    `out_color_matrix=${scaleMatrix(source, options)}:in_range=pc:out_range=${colour.range}`,
  ].join(':');
  // Twice: H.264 and the container take the options, ProRes writes what the frames themselves say.
  const tags: [string, string, string | number | null][] = [
    ['-color_range', 'range', colour.range],
    ['-color_primaries', 'color_primaries', colourCode('primaries', colour.primaries)],
    ['-color_trc', 'color_trc', colourCode('transfer', colour.transfer)],
    ['-colorspace', 'colorspace', colour.matrix],
  ];
  const frameTags = tags.map(([, name, value]) => `${name}=${value ?? 'unknown'}`).join(':');
  return [
    ...['-vf', `${filter},setsar=${aspect.numerator}/${aspect.denominator},setparams=${frameTags}`],
    ...['-r', `${frameRate.numerator}/${frameRate.denominator}`],
    ...(codec === 'prores' ? proresOptions(options) : h264Options(options)),
    ...tags.flatMap(([option, , value]) => (value === null ? [] : [option, String(value)])),
    ...['-movflags', '+faststart+write_colr', '-f', container],
  ];
}

/**
 * Profile 3 is 422 HQ, 4 is 4444: prores_ks spoils the last columns of an odd width in 4:2:2. Apple's vendor code
 * makes editors take the fast path.
 */
function proresOptions({ width }: EncoderOptions): string[] {
  const [profile, format] = width % 2 === 0 ? ['3', 'yuv422p10le'] : ['4', 'yuv444p10le'];
  return ['-c:v', 'prores_ks', '-profile:v', profile, '-vendor', 'apl0', '-pix_fmt', format];
}

/** At most so many frames are decoded to show one that a player jumps to. */
const playbackKeyframeInterval = 12;

function h264Options({ width, height, crf = 16, isForPlayback = false }: EncoderOptions): string[] {
  const isEven = width % 2 === 0 && height % 2 === 0;
  const seekable = ['-g', String(playbackKeyframeInterval), '-bf', '0'];
  return [
    ...['-c:v', 'libx264', '-preset', isForPlayback ? 'veryfast' : 'medium', '-crf', String(crf)],
    ...(isForPlayback ? seekable : []),
    ...['-pix_fmt', isEven ? 'yuv420p' : 'yuv444p'],
  ];
}

function checkSize(frame: Picture<'rgb24'>, { width, height }: Size): void {
  if (frame.width === width && frame.height === height && frame.rgb.length === width * height * 3) {
    return;
  }
  throw new RangeError(
    `openEncoder: frames must be ${width} x ${height}, got ${frame.width} x ${frame.height} in ${frame.rgb.length} bytes.`,
  );
}
