// The wipe: the original in a box over the edit, as wide as the divider says. Two images and a width are all that it
// takes, so it is the same in UXP.

import { pictureUrl, type CompareState } from '../../state/compare.ts';
import type { Context } from '../context.ts';
import { setPicture } from './compare-picture.ts';

const keyStep = 0.02;

export function createWipeView({ ui, t, dispatch }: Context) {
  const edit = ui.el('img', 'picture');
  edit.alt = t.compare.edit;
  const original = ui.el('img', 'picture');
  original.alt = t.compare.original;
  for (const image of [edit, original]) image.draggable = false;
  const over = ui.el('div', 'wipe-over', original);
  const handle = ui.el('button', 'wipe-handle', ui.el('span', 'wipe-grip'));
  handle.type = 'button';
  ui.name(handle, t.compare.divider);
  const root = ui.el(
    'div',
    'frame wipe',
    edit,
    over,
    handle,
    ui.el('span', 'tag', t.compare.original),
    ui.el('span', 'tag tag-right', t.compare.edit),
  );
  let divider = 0.5;
  let isDragging = false;
  const follow = (event: PointerEvent): void => {
    const { left, width } = root.getBoundingClientRect();
    if (width > 0) dispatch({ type: 'divider-moved', divider: (event.clientX - left) / width });
  };
  ui.on(root, 'pointerdown', (event) => {
    event.preventDefault();
    isDragging = true;
    root.setPointerCapture(event.pointerId);
    follow(event);
  });
  ui.on(root, 'pointermove', (event) => {
    if (isDragging) follow(event);
  });
  const end = (): void => {
    isDragging = false;
  };
  ui.on(root, 'pointerup', end);
  ui.on(root, 'pointercancel', end);
  // The handle's own arrows move the divider; elsewhere arrows step through frames.
  ui.on(handle, 'keydown', (event) => {
    const step = { ArrowLeft: -keyStep, ArrowRight: keyStep }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    dispatch({ type: 'divider-moved', divider: divider + step });
  });
  return {
    root,
    update(compare: CompareState): void {
      divider = compare.divider;
      // The image in the box keeps the width of the frame, however narrow the box is.
      const share = Math.max(0.001, divider);
      over.style.width = `${share * 100}%`;
      original.style.width = `${100 / share}%`;
      handle.style.left = `${divider * 100}%`;
      setPicture(edit, pictureUrl(compare, 'edit', compare.frameIndex));
      setPicture(original, pictureUrl(compare, 'original', compare.frameIndex));
    },
  };
}
