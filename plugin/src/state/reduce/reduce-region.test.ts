import { describe, expect, test } from 'vitest';
import type { SelectedClip } from '../../host/selection.ts';
import type { PanelEvent } from '../events.ts';
import { initialState, type PanelState } from '../panel-state.ts';
import { maskOf, type RegionChange } from '../region.ts';
import { reduce } from './reduce.ts';

const start = initialState({ kind: 'browser', product: 'B', abilities: [], logFolder: null }, 'dark', 'h264');
const after = (state: PanelState, ...events: readonly PanelEvent[]): PanelState => events.reduce(reduce, state);
const fileClip = (fileId: string): SelectedClip => ({
  key: fileId,
  name: fileId,
  frames: null,
  frameRate: null,
  size: null,
  warnings: [],
  modes: ['source'],
  freeTrackIndex: null,
  edit: null,
  snapshot: { kind: 'file', fileId, fileName: fileId, sizeBytes: 9, startSeconds: null, endSeconds: null },
});
const selected = (fileId: string): PanelEvent => {
  const place = { id: 'p', name: 'P' };
  const selection = { project: place, sequence: place, clips: [fileClip(fileId)], rejected: [], empty: null };
  return { type: 'selection-read', selection };
};
const place = (x: number, y: number): PanelEvent => ({ type: 'region-place-added', place: { x, y } });
const changed = (change: RegionChange): PanelEvent => ({
  type: 'region-changed',
  change,
});
const drawing = after(start, changed({ kind: 'drawn' }));
const shapesOf = ({ region }: PanelState) => region.drawings.flatMap(({ shapes }) => shapes);

describe('a region', () => {
  test('has a rectangle after two places, a dab of the brush after one, a polygon when it is closed', () => {
    const two = after(drawing, place(0.1, 0.2), place(0.5, 0.6));
    expect(shapesOf(two)).toEqual([{ kind: 'rectangle', points: [0.1, 0.2, 0.5, 0.6], erases: false }]);
    const dab = after(two, changed({ tool: 'brush', erases: true }), place(0.3, 0.3));
    expect(shapesOf(dab)[1]).toMatchObject({ kind: 'brush', points: [0.3, 0.3], erases: true });
    const corners = after(dab, changed({ tool: 'polygon' }), place(0, 0), place(1, 0), place(1, 1));
    expect(shapesOf(corners)).toHaveLength(2);
    const closed = after(corners, { type: 'region-closed' });
    expect(shapesOf(closed)[2]).toMatchObject({ kind: 'polygon', points: [0, 0, 1, 0, 1, 1] });
  });

  test('is undone corner by corner, then shape by shape, also after all was cleared', () => {
    const undone: PanelEvent = { type: 'region-undone' };
    const two = after(drawing, place(0.1, 0.2), place(0.5, 0.6), place(0.2, 0.2), place(0.9, 0.9));
    expect(shapesOf(after(two, undone))).toHaveLength(1);
    expect(shapesOf(after(two, place(0.3, 0.3), undone))).toHaveLength(2);
    expect(shapesOf(after(two, { type: 'region-cleared' }, undone))).toEqual(shapesOf(two));
    expect(shapesOf(after(two, undone, undone, undone))).toEqual([]);
  });

  test('is of one clip, and goes with the selection of another', () => {
    const ofFile = after(drawing, selected('one'), changed({ kind: 'drawn' }));
    const drawn = after(ofFile, {
      type: 'region-drawn',
      places: [
        { x: 0, y: 0 },
        { x: 0.5, y: 0.5 },
      ],
    });
    expect(maskOf(drawn)?.drawn).toHaveLength(1);
    expect(maskOf(after(drawn, selected('one')))).toEqual(maskOf(drawn));
    expect(maskOf(after(drawn, selected('other')))).toBeUndefined();
  });

  test('as a layer has a file that keeps alpha', () => {
    expect(after(drawing, changed({ asAlpha: true })).form.codec).toBe('prores-4444');
    expect(after(start, changed({ asAlpha: true })).form.codec).toBe('h264');
    expect(after(start, changed({ asAlpha: true }), changed({ kind: 'words' })).form.codec).toBe('prores-4444');
  });
});
