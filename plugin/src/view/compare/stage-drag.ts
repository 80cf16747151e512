// The pointer on the stage: it draws the divider of the wipe, or moves a picture that is larger than the frame. The wheel
// with Ctrl, and the pinch of a touchpad, which browsers tell as the same, zoom.

import { wholePicture, type CompareState } from '../../state/compare.ts';
import type { Context } from '../context.ts';

const keyStep = 0.02;

/** `handle` draws the divider also while the picture is larger than the frame. */
export function startDragging({ ui, dispatch }: Context, frame: HTMLElement, handle: HTMLElement) {
  let mode: CompareState['mode'] = 'wipe';
  let divider = 0.5;
  let zoom = wholePicture;
  let dragged: 'divider' | { readonly x: number; readonly y: number } | null = null;

  /** A point of the frame in shares of its sides; null while it has no size. */
  function pointOf({ clientX, clientY }: MouseEvent): { x: number; y: number } | null {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return width > 0 && height > 0 ? { x: (clientX - left) / width, y: (clientY - top) / height } : null;
  }

  ui.on(frame, 'pointerdown', (event) => {
    const point = pointOf(event);
    const target = event.target as HTMLElement;
    const isOnHandle = handle.contains(target);
    const isOnOtherButton = target.tagName.toLowerCase() === 'button' && !isOnHandle;
    if (point === null || isOnOtherButton || (mode !== 'wipe' && zoom.scale === 1)) return;
    event.preventDefault();
    dragged = mode === 'wipe' && (isOnHandle || zoom.scale === 1) ? 'divider' : point;
    frame.setPointerCapture(event.pointerId);
    if (dragged === 'divider') dispatch({ type: 'divider-moved', divider: point.x });
  });
  ui.on(frame, 'pointermove', (event) => {
    const point = pointOf(event);
    if (dragged === null || point === null) return;
    if (dragged === 'divider') dispatch({ type: 'divider-moved', divider: point.x });
    else {
      dispatch({ type: 'panned', dx: point.x - dragged.x, dy: point.y - dragged.y });
      dragged = point;
    }
  });
  const end = (): void => {
    dragged = null;
  };
  ui.on(frame, 'pointerup', end);
  ui.on(frame, 'pointercancel', end);
  ui.on(frame, 'wheel', (event) => {
    const point = pointOf(event);
    if (point === null || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    dispatch({ type: 'zoomed', factor: Math.exp(-event.deltaY / 200), ...point });
  });
  // The handle's own arrows move the divider; elsewhere arrows step through frames.
  ui.on(handle, 'keydown', (event) => {
    const step = { ArrowLeft: -keyStep, ArrowRight: keyStep }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    dispatch({ type: 'divider-moved', divider: divider + step });
  });

  return {
    update(compare: CompareState): void {
      ({ mode, divider, zoom } = compare);
    },
  };
}
