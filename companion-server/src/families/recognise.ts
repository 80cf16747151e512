// What a file of weights is, by the keys and shapes of its tensors.

import type { ModelFamily } from './family.ts';
import { families as allFamilies } from './list.ts';
import { refuseImitator, refuseStranger, type FileRefusal, type FileShapes } from './refused-files.ts';

export type Recognition =
  /** A checkpoint. `title` is narrower than the family's, for instance `Stable Diffusion 2.x`. */
  | { readonly family: ModelFamily; readonly title: string; readonly refusal: null }
  | { readonly family: null; readonly title: null; readonly refusal: FileRefusal };

/**
 * Tells what the file with these tensors is. It may lack a VAE or a text encoder; whether anything else is wrong with it is
 * found by who opens it.
 * @param metadata of the file, for what keys do not tell
 */
export function recognise(
  tensors: FileShapes,
  metadata: ReadonlyMap<string, string>,
  families: readonly ModelFamily[] = allFamilies,
): Recognition {
  const refused = (refusal: FileRefusal): Recognition => ({ family: null, title: null, refusal });
  const imitator = refuseImitator(tensors);
  if (imitator !== null) return refused(imitator);
  for (const family of families) {
    const title = family.singleFile?.recognises(tensors, metadata) ?? null;
    if (title !== null) return { family, title, refusal: null };
  }
  return refused(refuseStranger(tensors));
}
