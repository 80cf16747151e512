// The mask of what words of the source prompt name: where the source's branch looks at them, as in LEDITS++ (arXiv 2311.16711,
// section 4.2), cut at a threshold of its own in each frame.

import { addNoise } from '../../diffusion/ddim.ts';
import { sharedNoise } from '../../diffusion/seeded-noise.ts';
import { EditError, throwIfCanceled } from '../../errors.ts';
import { otsuThreshold } from '../../mask/otsu-threshold.ts';
import { tensor } from '../../tensor/tensor.ts';
import { frameRange, type LatentStore } from '../../tokenflow/latents.ts';
import { wordMaps } from '../../tokenflow/word-maps.ts';
import { tokenGrid, type CarryContext, type CarrySource } from '../correspondences/carry-along.ts';
import { openCoarseMask, type CoarseMask } from './coarse-mask.ts';

/** Of the noises at which the source is looked at. */
const timesteps = [201, 401, 601] as const;

/**
 * Throws EditError('invalid-request') where the model reads the words nowhere in the source prompt.
 * @param source null when the mask is in the work folder already
 */
export async function openWordMask(edit: CarryContext, words: string, source: CarrySource | null): Promise<CoarseMask> {
  const places = edit.model.placesOf(edit.settings.sourcePrompt, words);
  if (places.length === 0) {
    throw new EditError(
      'invalid-request',
      `The model reads the mask's words "${words}" nowhere in the source prompt.`,
      {
        hint: 'Write them in the source prompt, nearer to its beginning.',
      },
    );
  }
  return openCoarseMask(edit, {
    name: 'mask-words.latents',
    fill: source === null ? null : (store) => findWords(edit, places, source, store),
  });
}

/** The forwards are not counted among those of the edit: an edit that continues could not know them. */
async function findWords(
  edit: CarryContext,
  places: readonly number[],
  { clean, conditioning }: CarrySource,
  store: LatentStore,
): Promise<void> {
  const { denoiser, plan, sampling, signal } = edit;
  const { frameCount, chunkSize } = plan;
  const grid = tokenGrid(edit);
  const { evaluations, onForward } = denoiser;
  denoiser.onForward = () => throwIfCanceled(signal);
  try {
    for (let start = 0; start < frameCount; start += chunkSize) {
      const frames = frameRange(start, Math.min(start + chunkSize, frameCount));
      const latents = await clean.read(frames);
      const noise = sharedNoise(1, frames.length, latents.dims.slice(1));
      const latentsAt = (timestep: number) => Promise.resolve(addNoise(latents, noise, timestep, sampling));
      const { data } = await wordMaps({ denoiser, conditioning, places, timesteps, latentsAt });
      const length = grid.width * grid.height;
      for (const [n, frame] of frames.entries()) {
        const values = data.subarray(n * length, (n + 1) * length);
        const threshold = otsuThreshold(values);
        const cut = values.map((value) => (value > threshold ? 1 : 0));
        await store.write(frame, tensor([1, 1, grid.height, grid.width], cut));
      }
    }
  } finally {
    denoiser.evaluations = evaluations;
    denoiser.onForward = onForward;
  }
}
