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

test('plus and minus zoom around the middle, zero ends it, and L loops', () => {
  expect(press('+', comparing)).toEqual({ type: 'zoomed', factor: 1.5, x: 0.5, y: 0.5 });
  expect(press('-', comparing)).toMatchObject({ type: 'zoomed', x: 0.5, y: 0.5 });
  expect(press('0', comparing)).toEqual({ type: 'zoom-ended' });
  expect(press('l', comparing)).toEqual({ type: 'loop-toggled' });
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
