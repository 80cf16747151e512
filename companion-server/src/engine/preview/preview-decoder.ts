// Small pictures of latents, quickly: for looking at an edit while it is made. With a tiny decoder (TAESD) where the user has
// one that fits the model, else by the linear map from latents to colours.

import { tinyDecoderLayout, buildTinyDecoder, type TinyDecoderLayout } from '../../nets/tiny-decoder.ts';
import { EditError } from '../../errors.ts';
import type { LatentFormat } from '../../families/family.ts';
import { misfit } from '../../families/misfit.ts';
import type { Picture } from '../../media/frame.ts';
import { tensorToFrame } from '../../media/pixels.ts';
import type { LatentSize } from '../../nets/denoising-network.ts';
import { sessionOptionsOf, type Execution } from '../../onnx/execution.ts';
import { ShapeError } from '../../onnx/graph.ts';
import { createSession } from '../../onnx/session.ts';
import type { StoredTensors } from '../../tensor/stored-tensor.ts';
import { sliceRows, type Tensor } from '../../tensor/tensor.ts';
import { float32Copy } from '../../weights/float32-copy.ts';
import { openSafetensors, storedTensors } from '../../weights/safetensors.ts';
import { tensorsInFiles } from '../../weights/tensor-source.ts';
import { coloursOf, fitColours, shrunk } from './latent-colours.ts';

export interface PreviewDecoder {
  /** What makes the pictures. */
  readonly kind: 'tiny-decoder' | 'colours';
  /**
   * @param latents [N, C, h, w] clean ones of the network, or estimates of them (diffusion/clean-estimate.ts)
   * @returns a picture of each frame, at most `maxSide` pixels wide and high
   */
  decode(latents: Tensor): Promise<readonly Picture<'rgb24'>[]>;
  release(): Promise<void>;
}

/** A frame whose pixels and latents are known. */
export interface KnownFrame {
  /** [1, C, h, w] of the network */
  readonly latents: Tensor;
  /** [1, 3, H, W], -1..1; whole pixels per latent */
  readonly image: Tensor;
}

export interface TinyDecoderOptions {
  /** A safetensors file of TAESD's decoder. */
  readonly file: string;
  /** Of the model. */
  readonly format: LatentFormat;
  /** Of the latents that are decoded. */
  readonly size: LatentSize;
  readonly execution: Execution;
  /** Where copies of weights are kept. */
  readonly weightsDir: string;
  /** Most pixels along a side of a picture; 256 when left out. */
  readonly maxSide?: number;
  readonly signal?: AbortSignal | undefined;
}

const usualSide = 256;

/** Shows the colours that the latents have in a known frame: a pixel for a latent, or fewer. Takes milliseconds. */
export function fitColourDecoder({ latents: known, image }: KnownFrame, maxSide = usualSide): PreviewDecoder {
  const colours = fitColours(known, image);
  return {
    kind: 'colours',
    decode: (latents) => Promise.resolve(picturesOf(coloursOf(fitting(latents, 1, maxSide), colours))),
    release: () => Promise.resolve(),
  };
}

/**
 * Loads a tiny decoder, which takes a fraction of a second. Throws EditError: 'model-missing', 'model-damaged', and
 * 'model-unsupported' where it is of other latents than the model's.
 */
export async function openTinyDecoder(options: TinyDecoderOptions): Promise<PreviewDecoder> {
  const { file, format, execution, size, weightsDir, maxSide = usualSide, signal } = options;
  const all = storedTensors(await openSafetensors(file));
  const layout = requireLayout(file, all, format);
  const own = new Map([...all].filter(([name]) => name.startsWith(layout.prefix)));
  const weights = await float32Copy(tensorsInFiles(own), weightsDir, signal).stored();
  const factor = shrinkFactor(size, layout.downscale, maxSide);
  const small = { height: Math.floor(size.height / factor), width: Math.floor(size.width / factor) };
  const { fused } = execution;
  const graph = { name: 'tiny decoder', weights, float: 'float32', fused } as const;
  const session = await namingFile(file, () =>
    createSession(buildTinyDecoder(layout, small, graph), sessionOptionsOf(execution)),
  );
  return {
    kind: 'tiny-decoder',
    async decode(latents) {
      const { image } = await session.run({ latents: shrunk(latents, factor) });
      if (image === undefined) throw new TypeError('The tiny decoder returned no image.');
      return picturesOf(image);
    },
    release: () => session.release(),
  };
}

function requireLayout(file: string, tensors: StoredTensors, format: LatentFormat): TinyDecoderLayout {
  const layout = tinyDecoderLayout(tensors);
  const refuse = (reason: string): never => {
    throw new EditError('model-unsupported', `${file}: ${reason}.`, {
      hint: 'Take the decoder of TAESD for the same family of models as .safetensors.',
    });
  };
  if (layout === null) return refuse('is no tiny decoder like that of TAESD');
  if (layout.latentChannels !== format.channels || layout.downscale !== format.downscale) {
    return refuse(
      `decodes ${layout.latentChannels} channels to ${layout.downscale} pixels per latent, the model has ${format.channels} and ${format.downscale}`,
    );
  }
  return layout;
}

async function namingFile<T>(file: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw misfit('model-damaged', `${file}: ${error.message}`, error);
  }
}

/** How many latents along a side become one, so that the picture is not too large. */
function shrinkFactor({ height, width }: LatentSize, pixels: number, maxSide: number): number {
  return Math.max(1, Math.ceil((Math.max(height, width) * pixels) / maxSide));
}

function fitting(latents: Tensor, pixels: number, maxSide: number): Tensor {
  const [, , height = 0, width = 0] = latents.dims;
  return shrunk(latents, shrinkFactor({ height, width }, pixels, maxSide));
}

/** @param images [N, 3, h, w], about -1..1 */
function picturesOf(images: Tensor): readonly Picture<'rgb24'>[] {
  return Array.from({ length: images.dims[0] ?? 0 }, (_, i) => {
    const { width, height, pixelFormat, rgb } = tensorToFrame(sliceRows(images, i, i + 1), i);
    return { width, height, pixelFormat, rgb };
  });
}
