// Edits that change nothing, or nearly nothing, through the engine's own last stage: the change is fitted to small
// pictures, made to the clip's planes and encoded. No network runs: the latents are the small pictures themselves.

import { FullSize } from '../../companion-server/src/engine/run/upsample-result.ts';
import { storedRange } from '../../companion-server/src/media/colour.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { openEncoder } from '../../companion-server/src/media/encode/encode.ts';
import { frameToTensor, tensorToPlanes } from '../../companion-server/src/media/pixels.ts';
import { planeFormatOf } from '../../companion-server/src/media/planes.ts';
import type { ClipInfo } from '../../companion-server/src/media/probe/clip-info.ts';
import type { RgbPlanes } from '../../companion-server/src/media/rgb-planes.ts';
import { padFrame, planWorkingSize } from '../../companion-server/src/media/working-size.ts';
import { concatRows, sliceRows, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { InMemoryLatents } from '../../companion-server/src/tokenflow/in-memory-latents.ts';
import type { OutputCodec } from '../../protocol/codecs.ts';

/** The edited small picture from the unedited one. */
export type SmallEdit = (picture: RgbPlanes) => RgbPlanes;

export const identity: SmallEdit = (picture) => picture;

/** Where `nearIdentity` ends, as a share of the width, and beyond which nothing is changed at full size either. */
const [changedShare, reachedShare] = [0.25, 0.5];
/** Of 255: less than a code of 10 bits in video range. */
const lift = 0.25;

/** The left quarter gets lighter by less than a code. */
export const nearIdentity: SmallEdit = (picture) => {
  const [red, green, blue] = picture.planes.map((plane) =>
    plane.map((value, i) => ((i % picture.width) / picture.width < changedShare ? value + lift : value)),
  );
  return red === undefined || green === undefined || blue === undefined
    ? picture
    : { ...picture, planes: [red, green, blue] };
};

/** The share of the width from which on `nearIdentity` must leave every sample as it is. */
export const untouchedFrom = reachedShare;

const targetPixels = 96 ** 2;

/** Writes the edited clip to `file`, at the clip's own size and as the engine writes it. */
export async function writeSmallEdit(clip: ClipInfo, edit: SmallEdit, codec: OutputCodec, file: string): Promise<void> {
  const size = planWorkingSize(clip.displaySize, null, { multiple: 8, targetPixels });
  const small: Tensor[] = [];
  for await (const frame of decodeFrames(clip, { size: size.scaled })) small.push(frameToTensor(padFrame(frame, size)));
  const clean = concatRows(small);
  const fullSize = new FullSize({
    clip,
    plan: { startFrame: 0, endFrame: clip.frameCount, size, vaeChunkSize: 1 },
    clean: new InMemoryLatents(clean),
    vae: { run: (latents) => Promise.resolve(latents), release: () => Promise.resolve() },
    keepsDetail: true,
    mask: null,
    isAlphaMask: false,
    signal: undefined,
  });
  const format = planeFormatOf(clip.pixelFormat, clip.bitDepth);
  const encoder = await openEncoder(file, {
    ...{ ...clip.frameSize, codec, frameRate: clip.frameRate, colour: clip.colour, sampleAspect: clip.sampleAspect },
    ...{ input: format, inputRange: storedRange(clip), clipFormat: format },
  });
  try {
    for (let row = 0; row < small.length; row++) {
      const picture = tensorToPlanes(sliceRows(clean, row, row + 1), row, size);
      await encoder.write(await fullSize.restore(edit(picture)));
    }
    await encoder.finish();
  } catch (error) {
    await encoder.abort();
    throw error;
  } finally {
    await fullSize.close();
  }
}
