// Writes frames as a video file for editors, whole or not at all.

import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { codecInfo, type OutputCodec } from '../../../../protocol/codecs.ts';
import { EditError, throwIfCanceled } from '../../errors.ts';
import { writeAt } from '../../files/write-at.ts';
import { openPart } from '../../files/write-whole.ts';
import { planAudio, type AudioPlan, type Container, type TrackChoice } from './audio.ts';
import { rgb24Input, type EncoderFrame, type EncoderInput, type EncoderOptions } from './encoder-options.ts';
import { FfmpegError, outputAdvice } from '../ffmpeg/ffmpeg-error.ts';
import { startFfmpeg } from '../ffmpeg/ffmpeg.ts';
import type { Size } from '../frame.ts';
import { byteLength, planeBytes, toPlanes } from '../planes.ts';
import { metadataOptions } from './metadata-options.ts';
import { xmpBox, xmpPacket } from './provenance.ts';
import { rawVideo, videoOptions } from './video-options.ts';
import { widenPlanes, widerFormat } from './widen-planes.ts';

export interface Encoder {
  /** How the sound was handled, in sentences for the user. */
  readonly notices: readonly string[];
  /**
   * Takes the frame's bytes and settles when there is room for another. Frames come in order; `index` is not read. Throws
   * RangeError for a frame of another format or size than `input` and `inputSize` say.
   */
  write(frame: EncoderFrame): Promise<void>;
  /** Completes the file and renames it to its final name. Throws like `write`; then no file is left behind. */
  finish(): Promise<void>;
  /** Ends ffmpeg and removes what was written. Never throws; does nothing after `finish`. */
  abort(): Promise<void>;
}

/**
 * Starts writing `file`, whose ending must be one of the codec's. The size is kept to the pixel: odd edges,
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
  await write(blackFrame(inputSize, options.input ?? rgb24Input));
  await complete(false);
}

function blackFrame(size: Size, input: EncoderInput): EncoderFrame {
  const samples = 3 * size.width * size.height;
  if ('components' in input) {
    const planes = toPlanes(new Uint8Array(byteLength(input, size)), input, size);
    return { ...size, index: 0, format: input, planes };
  }
  return input.name === 'rgb24'
    ? { ...size, index: 0, pixelFormat: 'rgb24', rgb: new Uint8Array(samples) }
    : { ...size, index: 0, pixelFormat: 'rgb48le', rgb: new Uint16Array(samples) };
}

interface StartedEncoder {
  readonly audio: AudioPlan;
  readonly inputSize: Size;
  readonly write: (frame: EncoderFrame) => Promise<void>;
  /** Ends the file, and renames it to its final name or deletes it. */
  readonly complete: (isKept: boolean) => Promise<void>;
  readonly abort: () => Promise<void>;
}

async function startEncoder(file: string, given: EncoderOptions): Promise<StartedEncoder> {
  const input = given.input ?? rgb24Input;
  // A lossless codec keeps the planes as they are, others have no alpha.
  const isProres4444 = codecInfo(given.codec).hasAlpha && given.codec !== 'ffv1';
  const wider = isProres4444 && 'components' in input ? widerFormat(input) : null;
  const options = wider === null ? given : { ...given, input: wider };
  const container = containerOf(file, options.codec);
  refuseSize(options);
  refuseSource(file, options.audioFrom?.clip.path);
  throwIfCanceled(options.signal);
  const audio = planAudio(options.audioFrom ?? null, container, 1);
  const inputSize = options.inputSize ?? { width: options.width, height: options.height };
  const partial = await openPart(file, outputAdvice);
  const isMarked = container !== 'matroska' && (options.provenance ?? null) !== null;
  const frames = new PassThrough();
  const run = await startFfmpeg({
    inputs: [{ source: frames, options: rawVideo(inputSize, options) }, ...audio.inputs],
    outputOptions: [
      ...['-map', '0:v:0', ...audio.outputOptions],
      ...videoOptions(options, container),
      ...metadataOptions(options, container),
    ],
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
        requireFitting(frame, inputSize, input);
        const written =
          wider !== null && 'planes' in frame ? widenPlanes(frame, wider, options.inputRange ?? 'tv') : frame;
        for (const bytes of bytesOf(written)) {
          if (frames.destroyed) await run.done;
          if (!frames.write(bytes)) await once(frames, 'drain');
        }
      }),
    complete: (isKept) =>
      guarded(async () => {
        if (!frames.destroyed) frames.end();
        await run.done;
        throwIfCanceled(options.signal);
        if (isKept && isMarked) await appendMark(partial.file, options);
        await (isKept ? partial.commit() : partial.discard());
      }),
  };
}

async function appendMark(file: FileHandle, { provenance }: EncoderOptions): Promise<void> {
  if (provenance === null || provenance === undefined) return;
  const { size } = await file.stat();
  await writeAt(file, xmpBox(xmpPacket(provenance)), size);
}

function refuseSource(file: string, source: string | undefined): void {
  if (source === undefined || path.resolve(file) !== path.resolve(source)) return;
  throw new EditError('invalid-request', `The result would replace the clip itself: "${file}".`, {
    hint: 'Choose another name for the output.',
  });
}

const containers: Readonly<Record<string, Container>> = {
  '.mov': 'mov',
  '.mp4': 'mp4',
  '.m4v': 'mp4',
  '.mkv': 'matroska',
};

function containerOf(file: string, codec: OutputCodec): Container {
  const extension = path.extname(file).toLowerCase();
  const { title, extensions } = codecInfo(codec);
  const container = containers[extension];
  if (container !== undefined && extensions.includes(extension)) return container;
  const allowed = extensions.join(' or ');
  throw new EditError('invalid-request', `The output must end in ${allowed} for ${title}, got "${file}".`, {
    hint: `Change the ending to ${allowed}, or choose another codec.`,
  });
}

/** DNxHR has no smaller pictures (SMPTE ST 2019-1). */
const leastDnxhr = { width: 256, height: 120 };

function refuseSize({ codec, width, height }: EncoderOptions): void {
  if (!codec.startsWith('dnxhr') || (width >= leastDnxhr.width && height >= leastDnxhr.height)) return;
  throw new EditError(
    'invalid-request',
    `${codecInfo(codec).title} takes pictures from ${leastDnxhr.width} x ${leastDnxhr.height} pixels on, the clip has ${width} x ${height}.`,
    { hint: 'Choose ProRes.' },
  );
}

function bytesOf(frame: EncoderFrame): readonly Uint8Array[] {
  return 'planes' in frame ? frame.planes.map(planeBytes) : [planeBytes(frame.rgb)];
}

/** Throws RangeError for a frame of another size or format than was said. */
function requireFitting(frame: EncoderFrame, size: Size, input: EncoderInput): void {
  const length = bytesOf(frame).reduce((sum, { length: bytes }) => sum + bytes, 0);
  const wanted = pictureBytes(size, input);
  const format = 'planes' in frame ? frame.format.name : frame.pixelFormat;
  if (frame.width === size.width && frame.height === size.height && format === input.name && length === wanted) return;
  throw new RangeError(
    `openEncoder: frames must be ${input.name} of ${size.width} x ${size.height} in ${wanted} bytes, ` +
      `got ${format} of ${frame.width} x ${frame.height} in ${length} bytes.`,
  );
}

function pictureBytes(size: Size, input: EncoderInput): number {
  if ('components' in input) return byteLength(input, size);
  return 3 * size.width * size.height * (input.name === 'rgb48le' ? 2 : 1);
}
