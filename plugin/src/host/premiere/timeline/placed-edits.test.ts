import { expect, test } from 'vitest';
import { defaultSettings } from '../../../../../protocol/edit-settings.ts';
import { parseStoredEdits, type StoredEdit } from './placed-edits.ts';

const settings = { ...defaultSettings(), prompt: 'a fox' };
const edit: StoredEdit = {
  editId: 'e',
  original: {
    kind: 'timeline',
    projectId: 'p',
    sequenceId: 's',
    sequenceName: 'Cut 1',
    trackIndex: 0,
    start: '0',
    end: '100',
    inPoint: '0',
    outPoint: '100',
    ticksPerFrame: '10',
    itemId: 'i',
    mediaPath: '/wolf.mp4',
    speed: 1,
    isReversed: false,
  },
  originalName: 'wolf.mp4',
  place: { sequenceId: 's', trackIndex: 1, start: '0', end: '100' },
  versions: [
    {
      version: 1,
      recipe: { jobId: 'j', settings, model: 'demo', createdAt: '2026-11-22T19:20:08Z' },
      resultId: 'r',
      path: '/wolf TokenFlow.mov',
    },
  ],
};

test("a project's records of an earlier version are read by the names of today", () => {
  const { pipeline: schedule, initialNoise: noise, ...others } = settings;
  const versions = edit.versions.map(({ recipe, ...version }) => ({
    ...version,
    recipe: { ...recipe, settings: { ...others, schedule, noise } },
  }));
  expect(parseStoredEdits(JSON.stringify({ edits: [{ ...edit, versions }] }))).toEqual([edit]);
});

test.each([
  [{ edits: [{ ...edit, versions: null }] }, 'record.edits.0.versions must be a list'],
  [{ edits: 3 }, 'record.edits must be a list'],
  [null, 'record must be an object'],
])('records that somebody has changed are refused by their field', (record, complaint) => {
  expect(() => parseStoredEdits(JSON.stringify(record))).toThrow(complaint);
});
