// A sample clip of the practice model in the project of a simulated Premiere.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeSequence } from './sim-document.ts';
import { layTimeline, openTestProject, pal, selectedClip, type TestProject } from './testing-flow.ts';

const file = fileURLToPath(new URL('../../models/demo/samples/ball-grass.mp4', import.meta.url));

let project: TestProject;
beforeEach(async () => {
  project = await openTestProject();
});
afterEach(() => project.close());

const sample = async () => ({
  fileName: 'ball-grass.mp4',
  title: 'Red ball on grass',
  bytes: new Uint8Array(await readFile(file)),
});

test('is imported, lies selected on a sequence of its own, and no sequence of the user changes', async () => {
  const { sequence } = await layTimeline(project, pal, 4, 6, 2);
  const before = describeSequence(sequence);
  const host = project.sim.open();
  await host.clips.takeSample(await sample());
  const { sequence: active } = await host.selection.read();
  expect(active?.name).toBe('TokenFlow sample: Red ball on grass');
  const { snapshot, frames } = await selectedClip(host);
  expect(frames).toBe(24);
  if (snapshot.kind !== 'timeline') throw new Error('It is no clip of a timeline.');
  // By this name the panel knows that it is a sample.
  expect(path.basename(snapshot.mediaPath)).toBe('ball-grass.mp4');
  expect(await readFile(snapshot.mediaPath)).toEqual(await readFile(file));
  expect(describeSequence(project.sim.core.sequence(sequence.guid))).toBe(before);
});

test('is shown again on the sequence that is there already', async () => {
  const host = project.sim.open();
  await host.clips.takeSample(await sample());
  const { sequence } = await host.selection.read();
  await layTimeline(project, pal, 4, 6, 2);
  await host.clips.takeSample(await sample());
  expect((await host.selection.read()).sequence).toEqual(sequence);
  expect(project.sim.core.document.sequences.map(({ name }) => name)).toEqual([
    'TokenFlow sample: Red ball on grass',
    'Main',
  ]);
  expect(
    project.sim.core.document.items.filter(({ kind, name }) => kind === 'media' && name === 'ball-grass.mp4'),
  ).toHaveLength(1);
});
