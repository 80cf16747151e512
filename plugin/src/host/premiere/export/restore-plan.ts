// What an export does to the project, written down before it is done, so that a crash leaves nothing behind: the next
// start deletes the copy of the sequence and the file that were made.
//
// A sequence is deleted only when it bears both the id that was written down and the name that the export gave it.
// A sequence that is not certain to be ours is not changed, only reported.

import type { HostStorage } from '../../host.ts';
import type { Surroundings } from '../api.ts';
import { removeFile } from '../open-file.ts';
import { openProject } from '../timeline/timeline-items.ts';

export const cloneName = 'TokenFlow export (deletes itself)';
const planKey = 'export-plan';

export interface RestorePlan {
  readonly projectId: string;
  readonly projectName: string;
  readonly sequenceName: string;
  /** Null until the copy is there and known. */
  readonly cloneId: string | null;
  /** The file that the export writes. */
  readonly path: string;
}

export async function writePlan(storage: HostStorage, plan: RestorePlan): Promise<void> {
  await storage.write(planKey, JSON.stringify(plan));
}

export async function clearPlan(storage: HostStorage): Promise<void> {
  await storage.write(planKey, null);
}

/** Carries out the plan that a crash left. Returns sentences for the log about what was done. */
export async function recover(surroundings: Surroundings, storage: HostStorage): Promise<readonly string[]> {
  const text = await storage.read(planKey);
  if (text === null) return [];
  const plan = parsePlan(text);
  if (plan === null) {
    await clearPlan(storage);
    return ['The plan of an interrupted export could not be read and was dropped.'];
  }
  await removeFile(surroundings.fs, plan.path).catch(() => undefined);
  const project = await openProject(surroundings, plan.projectId).catch(() => null);
  if (project === null) {
    return [
      `An export in ${plan.projectName} was interrupted; its copy of the sequence is removed when that project is open.`,
    ];
  }
  if (plan.cloneId === null) {
    await clearPlan(storage);
    return [
      `An export of ${plan.sequenceName} was interrupted; if a copy of that sequence is left in the project, it can be deleted.`,
    ];
  }
  const sequences = await project.getSequences();
  const clone = sequences.find(({ guid, name }) => guid.toString() === plan.cloneId && name === cloneName);
  if (clone !== undefined) await project.deleteSequence(clone);
  await clearPlan(storage);
  return clone === undefined ? [] : [`The copy of ${plan.sequenceName} that an interrupted export left was deleted.`];
}

function parsePlan(text: string): RestorePlan | null {
  try {
    const plan = JSON.parse(text) as Partial<RestorePlan>;
    const { projectId, projectName, sequenceName, cloneId, path } = plan;
    const isPlan =
      typeof projectId === 'string' &&
      typeof projectName === 'string' &&
      typeof sequenceName === 'string' &&
      typeof path === 'string' &&
      (cloneId === null || typeof cloneId === 'string');
    return isPlan ? { projectId, projectName, sequenceName, cloneId, path } : null;
  } catch {
    return null;
  }
}
