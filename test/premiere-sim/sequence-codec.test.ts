// The codec of a result that is to be as its sequence.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { codecOfPreview } from '../../plugin/src/host/premiere/timeline/sequence-codec.ts';
import { layTimeline, openTestProject, pal, type TestProject } from './testing-flow.ts';

let project: TestProject;
beforeEach(async () => (project = await openTestProject()));
afterEach(() => project.close());

test.each([
  ['apcs', 'prores-lt'],
  // The same as a number.
  ['1634755443', 'prores-lt'],
  ['apcn', 'prores-422'],
  ['apch', 'prores'],
  ['ap4h', 'prores-4444'],
  ['AVdh', 'dnxhr-hqx'],
  ['MPEG2', null],
  ['0', null],
  ['', null],
  ['constructor', null],
])('the word %j of a sequence means %s', (word, codec) => {
  expect(codecOfPreview(word)).toBe(codec);
});

test.each([
  ['apcn', 'prores-422'],
  ['I-Frame Only MPEG', null],
])('a selected clip knows the codec of its sequence: %s', async (previewCodec, sequenceCodec) => {
  const { sequence } = await layTimeline(project, pal, 4, 6, 2);
  sequence.previewCodec = previewCodec;
  const { clips } = await project.sim.open().selection.read();
  expect(clips).toMatchObject([{ sequenceCodec }]);
});

test('a sequence that does not answer is no reason not to edit its clips', async () => {
  const { sequence } = await layTimeline(project, pal, 4, 6, 2);
  sequence.previewCodec = null;
  const { clips } = await project.sim.open().selection.read();
  expect(clips).toMatchObject([{ sequenceCodec: null }]);
});
