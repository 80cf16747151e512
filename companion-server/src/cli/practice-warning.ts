// What `edit` says before a practice model edits something that it does not know.

import type { EditSettings } from '../../../protocol/edit-settings.ts';
import type { ModelInfo } from '../../../protocol/model-info.ts';
import { readPrompt } from '../../../protocol/vocabulary.ts';
import { typed } from '../typed-command.ts';

/**
 * A few sentences with a line end; null where there is nothing to say.
 * @param clipSha256 of the whole clip
 */
export function practiceWarning(
  { title, vocabulary }: Pick<ModelInfo, 'title' | 'vocabulary'>,
  { prompt, sourcePrompt }: Pick<EditSettings, 'prompt' | 'sourcePrompt'>,
  clipSha256: string,
): string | null {
  if (vocabulary === null) return null;
  const isForeignClip = !vocabulary.samples.some(({ sha256 }) => sha256 === clipSha256);
  const unknown = new Set([prompt, sourcePrompt].flatMap((text) => readPrompt(vocabulary, text).unknown));
  if (!isForeignClip && unknown.size === 0) return null;
  return [
    `Warning: ${title} is a practice model. It only knows its own small drawn world.`,
    ...(isForeignClip ? ['The clip is none of its sample clips: it comes out as simple drawn shapes.'] : []),
    ...(unknown.size > 0 ? [`It has never seen these words: ${[...unknown].join(', ')}.`] : []),
    `For real footage: ${typed('models pull stable-diffusion-1.5')}, then --model stable-diffusion-1.5.\n`,
  ].join('\n');
}
