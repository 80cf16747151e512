import { describe, expect, test } from 'vitest';
import { makeModelInfo, practiceVocabulary } from '../../../protocol/testing/models.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { ClipSnapshot, SelectedClip, SelectionReading } from '../host/selection.ts';
import type { PanelEvent } from './events.ts';
import { initialState, type PanelState } from './panel-state.ts';
import { openDoubt, practiceDoubt, selectedSample, shownDoubt } from './practice.ts';
import { reduce } from './reduce/reduce.ts';

const practice = makeModelInfo({ id: 'practice', vocabulary: practiceVocabulary });
const real = makeModelInfo({ id: 'real' });
const [ball] = practiceVocabulary.samples;

const start = reduce(initialState({ kind: 'browser', product: 'P', abilities: [], logFolder: null }, 'dark', 'h264'), {
  type: 'link-changed',
  link: { name: 'online', server: { version: '0', device: null, models: [practice, real] } },
});
const after = (state: PanelState, ...events: readonly PanelEvent[]) => events.reduce(reduce, state);
const place = { id: 'p', name: 'p' };
const selectionOf = (...clips: readonly SelectedClip[]): SelectionReading => ({
  project: place,
  sequence: place,
  clips,
  rejected: [],
  empty: null,
});
const clipOf = (snapshot: ClipSnapshot): SelectedClip => ({
  key: 'k',
  name: 'clip',
  snapshot,
  frames: null,
  frameRate: null,
  size: null,
  warnings: [],
  modes: ['source'],
  freeTrackIndex: null,
  edit: null,
});
const fileClip = clipOf({
  kind: 'file',
  fileId: 'f',
  fileName: 'clip.mp4',
  sizeBytes: 300,
  startSeconds: null,
  endSeconds: null,
});
const media = (mediaPath: string): SelectedClip => ({
  ...clipOf({
    kind: 'timeline',
    projectId: 'p',
    sequenceId: 's',
    sequenceName: 'S',
    trackIndex: 0,
    start: '0',
    end: '10',
    inPoint: '0',
    outPoint: '10',
    ticksPerFrame: '1',
    itemId: 'i',
    mediaPath,
    speed: 1,
    isReversed: false,
  }),
  key: mediaPath,
});
const chosen = (...clips: readonly SelectedClip[]): PanelEvent => ({
  type: 'selection-read',
  selection: selectionOf(...clips),
});
const sent = (sha256: string): PanelEvent => ({
  type: 'prepare-done',
  sourceId: 'f',
  clipId: 'c',
  sha256,
  media: {} as MediaFacts,
});
const sending: PanelEvent = { type: 'prepare-progress', sourceId: 'f', sentBytes: 0, sizeBytes: 300 };
const words = (prompt: string): PanelEvent => ({ type: 'form-changed', change: { prompt } });
const model = (id: string): PanelEvent => ({ type: 'form-changed', change: { model: id } });

const withSample = after(start, chosen(fileClip), sending, sent(ball?.sha256 ?? ''));
const withWolf = after(start, chosen(fileClip), sending, sent('0'.repeat(64)));
describe('a practice model', () => {
  test('doubts a file of another size than every sample at once, before it is sent', () => {
    const large = { ...fileClip, snapshot: { ...fileClip.snapshot, sizeBytes: 7_000_000 } } as SelectedClip;
    expect(practiceDoubt(after(start, chosen(large)))).toMatchObject({ isForeignClip: true });
  });

  test('doubts a file of the size of a sample when its hash is another one, not before the hash is known', () => {
    expect(practiceDoubt(after(start, chosen(fileClip), sending))).toBeNull();
    expect(practiceDoubt(withSample)).toBeNull();
    expect(practiceDoubt(withWolf)).toMatchObject({ isForeignClip: true, unknownWords: [] });
  });

  test('knows a clip on a timeline by the name of its file, on every system', () => {
    const doubtOf = (path: string) => practiceDoubt(after(start, chosen(media(path))))?.isForeignClip;
    expect(doubtOf('/films/ball-grass.mp4')).toBeUndefined();
    expect(doubtOf('C:\\films\\ball-grass.mp4')).toBeUndefined();
    expect(doubtOf('/films/wolf.mp4')).toBe(true);
  });

  test('takes an edit that the panel has made', () => {
    const edited = { ...media('/films/clip_v1.mov'), edit: { editId: 'e', version: 1 } };
    expect(practiceDoubt(after(start, chosen(edited)))).toBeNull();
  });

  test('names the words of both prompts that it does not know', () => {
    const state = after(withSample, words('a shiny ball'), {
      type: 'form-changed',
      change: { sourcePrompt: 'a shiny wolf' },
    });
    expect(practiceDoubt(state)).toMatchObject({ isForeignClip: false, unknownWords: ['shiny', 'wolf'] });
  });

  test('offers the prompts of the sample that is selected', () => {
    expect(selectedSample(withSample)?.prompts[0]).toBe('a blue ball on grass');
    expect(selectedSample(withWolf)).toBeNull();
  });
});

test('a model for real footage doubts nothing', () => {
  expect(practiceDoubt(after(withWolf, words('a shiny silver robotic wolf'), model('real')))).toBeNull();
});

describe('the card', () => {
  test('is there at once for a foreign clip, and goes when the user goes on or takes another model', () => {
    expect(shownDoubt(withWolf)?.isForeignClip).toBe(true);
    expect(shownDoubt(after(withWolf, { type: 'practice-accepted' }))).toBeNull();
    expect(shownDoubt(after(withWolf, model('real')))).toBeNull();
  });

  test('comes for unknown words when Apply or Preview is pressed, not while they are typed', () => {
    const typed = after(withSample, words('a shiny ball'));
    expect(shownDoubt(typed)).toBeNull();
    expect(shownDoubt(after(typed, { type: 'apply-pressed' }))?.unknownWords).toEqual(['shiny']);
    expect(shownDoubt(after(typed, { type: 'preview-pressed' }))?.unknownWords).toEqual(['shiny']);
    expect(shownDoubt(after(typed, { type: 'apply-pressed' }, words('a shiny red ball')))).toBeNull();
  });

  test('does not come where Apply has something else to say first', () => {
    expect(after(withSample, { type: 'apply-pressed' }).practice.held).toBeNull();
  });

  test('comes again for another clip, and not for other words of the clip that was accepted', () => {
    const accepted = after(withWolf, { type: 'practice-accepted' });
    expect(openDoubt(after(accepted, words('a wolf')))).toBeNull();
    expect(openDoubt(after(accepted, chosen(media('/films/wolf.mp4'))))?.isForeignClip).toBe(true);
  });
});
