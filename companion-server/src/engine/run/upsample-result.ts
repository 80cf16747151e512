// Edited frames at the clip's own size: the edit's change of the small picture is applied to the large one, so that the
// clip's fine detail stays where the edit did not change the structure. The clip is decoded once more, during the encoding.

import { EditError } from '../../errors.ts';
import { applyChange } from '../../detail/apply-change.ts';
import { fitChange, replaceBy } from '../../detail/local-change.ts';
import { maskAsAlpha, maskPlanes } from '../../mask/apply-mask.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { componentSpaceOf, type ComponentSpace } from '../../media/component-space.ts';
import { decodePlanes } from '../../media/decode/frames.ts';
import { tensorToPlanes } from '../../media/pixels.ts';
import { planeFormatOf, withAlpha, type PlanarFrame, type PlaneFormat } from '../../media/planes.ts';
import type { RgbPlanes } from '../../media/rgb-planes.ts';
import { sliceRows, type Tensor } from '../../tensor/tensor.ts';
import { frameRange, type LatentStore } from '../../tokenflow/latents.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import type { EditMask } from '../mask/edit-mask.ts';
import type { MaskReader } from '../mask/mask-reader.ts';
import type { VaeSession } from '../model/vae-session.ts';
import { inClipCode } from './model-view.ts';

export interface FullSizeOptions {
  readonly clip: ClipInfo;
  readonly plan: Pick<EditPlan, 'startFrame' | 'endFrame' | 'size' | 'vaeChunkSize'>;
  /** The clip's own latents. Decoded like the edited ones, they show what the VAE alone does to a picture. */
  readonly clean: LatentStore;
  readonly vae: VaeSession;
  /** Whether the clip's fine detail stays; otherwise the edited picture is scaled up. */
  readonly keepsDetail: boolean;
  /** Where the edit may change the clip; null for everywhere. */
  readonly mask: EditMask | null;
  /** Whether the mask becomes the alpha of the result. */
  readonly isAlphaMask: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Whether results keep the clip's detail: the user wants it, and the clip has more pixels than the edit. */
export function keepsDetail(
  { detail }: Pick<ChosenSettings, 'detail'>,
  { frameSize: { width, height } }: Pick<ClipInfo, 'frameSize'>,
  { size: { scaled } }: Pick<EditPlan, 'size'>,
): boolean {
  return detail === 'source' && (width > scaled.width || height > scaled.height);
}

/** Whether edited frames are made at the clip's size here, and not by the encoder. */
export function isFullSize(
  settings: Pick<ChosenSettings, 'detail' | 'mask'>,
  clip: Pick<ClipInfo, 'frameSize'>,
  plan: Pick<EditPlan, 'size'>,
): boolean {
  return settings.mask !== undefined || keepsDetail(settings, clip, plan);
}

/**
 * How frames at the clip's size are stored. Throws EditError('invalid-request') where the mask shall be their alpha and no
 * format has the clip's planes and an alpha.
 */
export function fullSizeFormat({ mask }: Pick<ChosenSettings, 'mask'>, clip: ClipInfo): PlaneFormat {
  return mask?.asAlpha === true ? formatWithAlpha(clip) : planeFormatOf(clip.pixelFormat, clip.bitDepth);
}

function formatWithAlpha(clip: ClipInfo): PlaneFormat {
  const format = withAlpha(planeFormatOf(clip.pixelFormat, clip.bitDepth));
  if (format !== null) return format;
  throw new EditError('invalid-request', `A clip of ${clip.pixelFormat} cannot have the mask as its alpha.`, {
    hint: 'Leave it out, and the edit is laid over the clip.',
  });
}

/** Takes the planned frames in their order. Holds one large frame, and a few small ones. */
export class FullSize {
  private readonly options: FullSizeOptions;
  private readonly originals: AsyncGenerator<PlanarFrame, void, undefined>;
  private readonly space: ComponentSpace;
  private readonly masks: MaskReader | null;
  private decoded: Tensor | null = null;
  private row = 0;

  constructor(options: FullSizeOptions) {
    this.options = options;
    const { clip, plan, signal } = options;
    const { startFrame, endFrame } = plan;
    this.originals = decodePlanes(clip, { startFrame, endFrame, signal });
    this.space = componentSpaceOf(clip, planeFormatOf(clip.pixelFormat, clip.bitDepth));
    this.masks = options.mask?.reader(clip.frameSize) ?? null;
  }

  /** The next edited frame at the working size, as the model has made it -> at the clip's, in its codes. */
  async restore(shown: RgbPlanes): Promise<PlanarFrame> {
    const edited = inClipCode(shown, this.options.clip);
    const change = this.options.keepsDetail
      ? fitChange(inClipCode(await this.nextReconstruction(edited.index), this.options.clip), edited)
      : replaceBy(edited);
    const original = await this.original(edited.index);
    const changed = applyChange(original, change, this.space);
    if (this.masks === null) return changed;
    const coverage = await this.masks.at(edited.index);
    const { isAlphaMask, clip } = this.options;
    return isAlphaMask
      ? maskAsAlpha(changed, coverage, formatWithAlpha(clip))
      : maskPlanes(original, changed, coverage);
  }

  /** Ends the decoding. */
  async close(): Promise<void> {
    await this.originals.return();
    await this.masks?.close();
  }

  private async nextReconstruction(index: number): Promise<RgbPlanes> {
    const { plan, clean, vae } = this.options;
    const at = this.row % plan.vaeChunkSize;
    if (at === 0 || this.decoded === null) {
      const end = Math.min(this.row + plan.vaeChunkSize, clean.frameCount);
      this.decoded = await vae.run(await clean.read(frameRange(this.row, end)));
    }
    this.row++;
    return tensorToPlanes(sliceRows(this.decoded, at, at + 1), index, plan.size);
  }

  /** Frames between the wanted ones are passed over. */
  private async original(index: number): Promise<PlanarFrame> {
    for (;;) {
      const next = await this.originals.next();
      if (next.done === true) break;
      if (next.value.index === index) return next.value;
    }
    throw new EditError(
      'clip-unreadable',
      `Frame ${index} of "${this.options.clip.path}" could not be read a second time.`,
      {
        hint: 'Leave the clip as it is while it is edited.',
      },
    );
  }
}
