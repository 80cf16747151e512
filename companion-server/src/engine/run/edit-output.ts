// The last stage: edited latents -> frames -> a clip like the source, unless the frames have gone black.

import path from 'node:path';
import { version } from '../../app/version.ts';
import { EditError } from '../../errors.ts';
import type { ClipInfo, ClipOrigin } from '../../media/probe/clip-info.ts';
import { timecodeAfter } from '../../media/timecode.ts';
import { storedRange } from '../../media/colour.ts';
import { openEncoder, rehearseEncoder } from '../../media/encode/encode.ts';
import { rgb48Input, type EncoderOptions } from '../../media/encode/encoder-options.ts';
import { rationalValue } from '../../media/frame.ts';
import { planeFormatOf } from '../../media/planes.ts';
import { toRgb48, type RgbPlanes } from '../../media/rgb-planes.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import type { EditMask } from '../mask/edit-mask.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import { writePictures } from './clip-latents.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditJob } from './edit-job.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import { FullSize, fullSizeFormat, isFullSize, keepsDetail } from './upsample-result.ts';
import { inClipCode } from './model-view.ts';
import { outputNotices } from './output-notices.ts';
import type { Model } from '../model/model.ts';

export interface OutputOptions {
  /** The clip's own latents. */
  readonly clean: LatentStore;
  readonly job: EditJob;
  readonly settings: ChosenSettings;
  readonly clip: ClipInfo;
  readonly model: Model;
  readonly plan: EditPlan;
  /** Where the edit may change the clip; null for everywhere. */
  readonly mask: EditMask | null;
  /** What `rehearseOutput` has returned. */
  readonly encoding: EncoderOptions;
  readonly signal: AbortSignal | undefined;
  /** Frames done so far. */
  readonly onFrames: (done: number) => void;
}

/** A picture without a brighter byte than this is black; one with a brighter byte than `visible` is not. */
const black = 6;
const visible = 48;

/**
 * Encodes one frame and all of the sound as `writeResult` will, and keeps nothing, so that an encoding failure shows
 * before the work. Returns how to encode. Throws as `rehearseEncoder` does.
 */
export async function rehearseOutput({
  job,
  settings,
  clip,
  plan,
  signal,
}: Pick<OutputOptions, 'job' | 'settings' | 'clip' | 'plan' | 'signal'>): Promise<EncoderOptions> {
  const rate = rationalValue(clip.frameRate);
  const clipFormat = planeFormatOf(clip.pixelFormat, clip.bitDepth);
  const isWhole = isFullSize(settings, clip, plan);
  return rehearseEncoder(job.outputPath, {
    ...clip.frameSize,
    frameRate: clip.frameRate,
    origin: settings.preview ? null : originOf(clip, plan.startFrame, settings),
    hdr: clip.hdr,
    provenance: {
      tool: `TokenFlow ${version}`,
      model: path.parse(job.modelDir).name,
      technique: settings.technique,
      prompt: settings.writesPrompt ? settings.prompt : null,
    },
    codec: settings.codec,
    colour: clip.colour,
    sampleAspect: clip.sampleAspect,
    inputSize: isWhole ? clip.frameSize : plan.size.scaled,
    input: isWhole ? fullSizeFormat(settings, clip) : rgb48Input,
    inputRange: storedRange(clip),
    clipFormat,
    audioFrom:
      settings.sound === 'none' || settings.preview
        ? null
        : { clip, startSeconds: plan.startFrame / rate, endSeconds: plan.endFrame / rate },
    signal,
  });
}

/** Of the frame at which the result begins. The place where a clip was recorded is kept for those who ask for it. */
function originOf(clip: ClipInfo, startFrame: number, { keepsLocation }: ChosenSettings): ClipOrigin {
  const { origin, frameRate } = clip;
  return {
    ...origin,
    timecode: origin.timecode === null ? null : timecodeAfter(origin.timecode, startFrame, frameRate),
    location: keepsLocation ? origin.location : null,
  };
}

/** Writes the result completely or not at all. Returns sentences about what it does not keep of the clip. */
export async function writeResult(
  latents: LatentStore,
  { clean, job, settings, clip, model, plan, mask, encoding, signal, onFrames }: OutputOptions,
): Promise<readonly string[]> {
  const vae = await model.openDecoder(plan.latentSize);
  const fullSize = isFullSize(settings, clip, plan)
    ? new FullSize({
        ...{ clip, plan, clean, vae, signal, mask },
        keepsDetail: keepsDetail(settings, clip, plan),
        isAlphaMask: settings.mask?.asAlpha === true,
      })
    : null;
  try {
    const encoder = await openEncoder(job.outputPath, encoding);
    try {
      const finish = async (picture: RgbPlanes) => {
        await refuseBlack(picture, clip, plan);
        return fullSize === null ? toRgb48(inClipCode(picture, clip)) : fullSize.restore(picture);
      };
      await writePictures(latents, plan, vae, encoder, { signal, onFrames, finish });
      await model.requireUnchanged();
      await encoder.finish();
    } catch (error) {
      await encoder.abort();
      throw error;
    }
    return [...outputNotices(clip, settings.codec, fullSize !== null), ...encoder.notices];
  } finally {
    await fullSize?.close();
    await vae.release();
  }
}

/** A frame may be black if the clip's own is black; the clip's frame is checked only then. */
async function refuseBlack(picture: RgbPlanes, clip: ClipInfo, { size }: EditPlan): Promise<void> {
  const { index, planes } = picture;
  if (Math.max(...planes.map(brightest)) > black) return;
  const range = { startFrame: index, endFrame: index + 1, size: size.scaled };
  for await (const original of decodeFrames(clip, range)) {
    if (brightest(original.rgb) <= visible) return;
  }
  throw new EditError('result-invalid', `Frame ${index} came out black; the clip's is not.`, {
    hint: 'Try --device cpu. If that fails too, try another prompt or another checkpoint.',
  });
}

function brightest(samples: Float32Array | Uint8Array): number {
  let most = 0;
  for (const value of samples) most = Math.max(most, value);
  return most;
}
