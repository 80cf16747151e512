// Models that unfinished edits need. They stay until those edits have ended: a paused edit reads its model again.

import type { EditSettings } from '../../../protocol/edit-settings.ts';
import { EditError } from '../errors.ts';

/** An edit, as far as it names models. */
export interface EditWithModels {
  /** Null for the default model. */
  readonly model: string | null;
  readonly settings: Pick<EditSettings, 'prompt' | 'loras' | 'vae'>;
}

/**
 * Throws EditError 'model-in-use' with the prompt of the first edit that needs the model, LoRA or VAE called `name`.
 * @param edits the unfinished ones
 * @param defaultModel what an edit means that names no model
 * @param donorsOf names of the models that give a model parts which it lacks; none when left out
 */
export async function requireUnused(
  name: string,
  edits: readonly EditWithModels[],
  defaultModel: string | null,
  donorsOf: (model: string) => Promise<readonly string[]> = () => Promise.resolve([]),
): Promise<void> {
  for (const { model: chosen, settings } of edits) {
    const model = chosen ?? defaultModel;
    const donors = model === null ? [] : await donorsOf(model);
    const needed = [model, settings.vae, ...settings.loras.map((lora) => lora.name), ...donors];
    if (!needed.includes(name)) continue;
    throw new EditError('model-in-use', `${name} cannot be removed: the edit "${settings.prompt}" uses it.`, {
      hint: `The edit "${settings.prompt}" is not finished. Wait for its end or cancel it, then remove the model.`,
    });
  }
}
