import { expect, test } from 'vitest';
import { initialState, type PanelState } from '../state/panel-state.ts';
import { reduce } from '../state/reduce/reduce.ts';
import { eventOfKey, type KeyPress } from './keys.ts';

const start = initialState({ kind: 'browser', product: 'B', abilities: [], logFolder: null }, 'dark', 'h264');
const comparing = reduce(start, { type: 'compare-opened', editId: 'e', version: 1 });
const press = (key: string, state: PanelState, more: Partial<KeyPress> = {}) =>
  eventOfKey({ key, shiftKey: false, isCommand: false, isInField: false, isOnButton: false, ...more }, state);

test('space plays, arrows step by one or ten, and the backslash flips', () => {
  expect(press(' ', comparing)).toEqual({ type: 'play-toggled' });
  expect(press('ArrowRight', comparing)).toEqual({ type: 'frame-chosen', frameIndex: 1 });
  expect(press('ArrowRight', comparing, { shiftKey: true })).toEqual({ type: 'frame-chosen', frameIndex: 10 });
  expect(press('\\', comparing)).toEqual({ type: 'compare-flipped' });
});

test('keys are left to fields, to buttons, to commands of the host and to other pages', () => {
  expect(press(' ', comparing, { isInField: true })).toBeNull();
  expect(press(' ', comparing, { isOnButton: true })).toBeNull();
  expect(press('ArrowLeft', comparing, { isCommand: true })).toBeNull();
  expect(press(' ', { ...comparing, page: 'edit' })).toBeNull();
});

test('Esc closes what lies over the pages, also from a field', () => {
  const covered = reduce(start, { type: 'overlay-opened', overlay: { name: 'about' } });
  expect(press('Escape', covered, { isInField: true })).toEqual({ type: 'overlay-closed' });
  expect(press('Escape', start)).toBeNull();
});
