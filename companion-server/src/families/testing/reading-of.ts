// What an edit would take from a checkpoint's folder, told by the code that loads it.

import { EditError } from '../../errors.ts';
import { adaptedToFewSteps } from '../few-step.ts';
import { openCheckpoint } from '../open-checkpoint.ts';
import { requireLoadable } from '../require-loadable.ts';

/** What an edit would take from the folder, in words; or the refusal. */
export async function readingOf(folder: string): Promise<string> {
  try {
    const checkpoint = await openCheckpoint(folder);
    await requireLoadable(checkpoint);
    const outline = adaptedToFewSteps(checkpoint.family.outline(checkpoint), { dir: folder, loras: [] });
    const { trainingSide, scheduler, defaults } = outline;
    const { predictionType, timestepSpacing } = scheduler;
    const few = defaults.fewSteps === undefined ? '' : ', few steps';
    return `${checkpoint.family.title}, ${trainingSide} px, ${predictionType}, ${timestepSpacing}${few}`;
  } catch (error) {
    if (error instanceof EditError) return `${error.code}: ${error.message.replaceAll(folder, 'DIR')}`;
    throw error;
  }
}
