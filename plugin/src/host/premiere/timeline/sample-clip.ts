// A sample clip in the project: its file is imported into the bin of results, and lies on a sequence of its own, so that no
// sequence of the user changes. A second time the same sequence is shown. None of it is a step of undo.

import { HostError } from '../../problems.ts';
import type { Project, Sequence, Surroundings } from '../api.ts';
import { findProjectItem, importResult } from './project-items.ts';
import { openProject } from './timeline-items.ts';

/** Shows the clip at `path` on its sequence, selected. Throws HostError 'import-failed', 'import-late', 'host-lacks'. */
export async function showSample(
  surroundings: Surroundings,
  sample: { readonly path: string; readonly title: string },
): Promise<void> {
  const { ppro } = surroundings;
  const project = await openProject(surroundings);
  const name = `TokenFlow sample: ${sample.title}`;
  const sequence = (await findByName(project, name)) ?? (await make(surroundings, project, name, sample.path));
  await project.setActiveSequence(sequence);
  const track = await sequence.getVideoTrack(0);
  const [clip] = track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false);
  if (clip === undefined) throw new HostError('import-failed', `The sequence ${name} has no clip.`);
  // A selection that was made from nothing is refused later: the live one is changed.
  await sequence.clearSelection();
  const selection = await sequence.getSelection();
  selection.addItem(clip);
  sequence.setSelection(selection);
}

async function findByName(project: Project, name: string): Promise<Sequence | undefined> {
  for (const sequence of await project.getSequences()) if (sequence.name === name) return sequence;
  return undefined;
}

async function make(surroundings: Surroundings, project: Project, name: string, path: string): Promise<Sequence> {
  const { ppro } = surroundings;
  const { resultId } = await importResult(surroundings, { location: path, name, sizeBytes: 0 });
  const item = await findProjectItem(surroundings, project, resultId);
  const clip = ppro.ClipProjectItem.cast(item);
  const made = (await project.createSequenceFromMedia(name, [clip])) as Sequence | null | undefined;
  if (made == null) throw new HostError('import-failed', `The sequence ${name} was not made.`);
  return made;
}
