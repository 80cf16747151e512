// Selects the clip of an earlier edit on the timeline, so that it can be edited again.

import { HostError } from '../../problems.ts';
import type { ClipSnapshot } from '../../selection.ts';
import type { Surroundings } from '../api.ts';
import { findSequence, findSnapshot, openProject } from './timeline-items.ts';

/** False when the clip is not where it was, or its sequence is not the one in front. */
export async function selectClip(surroundings: Surroundings, snapshot: ClipSnapshot): Promise<boolean> {
  if (snapshot.kind !== 'timeline') return false;
  try {
    const project = await openProject(surroundings, snapshot.projectId);
    const sequence = await findSequence(project, snapshot.sequenceId);
    if ((await project.getActiveSequence()).guid.toString() !== snapshot.sequenceId) return false;
    const clip = await findSnapshot(surroundings, sequence, snapshot);
    if (clip === undefined) return false;
    // The sequence's own selection, emptied and filled: one that is created empty becomes invalid in use.
    await sequence.clearSelection();
    const selection = await sequence.getSelection();
    selection.addItem(clip.item);
    return sequence.setSelection(selection);
  } catch (error) {
    if (error instanceof HostError && ['project-closed', 'sequence-closed'].includes(error.code)) return false;
    throw error;
  }
}
