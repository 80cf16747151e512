// The still on which a region is drawn: by the pointer, or with the keys of a button below it, which move a cross.

import { coveredRuns, overlayRows } from '../../state/region-overlay.ts';
import { drawingAt, shapeOf, type Place, type Region } from '../../state/region.ts';
import type { Context } from '../context.ts';
import { setPicture } from '../compare/compare-picture.ts';
import { setText, show } from '../ui.ts';

/** Of the picture's sides. */
const keyStep = 0.02;
const bigKeyStep = 0.1;
/** Places closer to the one before are left out of a brush's way. */
const leastWay = 0.01;

const percent = (share: number): string => `${Math.round(1e4 * share) / 100}%`;

export function createRegionPad({ ui, t, dispatch }: Context) {
  const image = ui.el('img', 'region-picture');
  image.alt = t.region.still;
  const overlay = ui.el('div', 'region-overlay');
  const cross = ui.el('div', 'region-cross gone');
  const frame = ui.el('div', 'region-frame', image, overlay, cross);
  const byKeys = ui.button(t.region.byKeys, 'small', () => dispatch({ type: 'region-place-added', place: at }));
  const place = ui.el('span', 'hint');
  ui.describe(place, { live: 'polite' });
  const root = ui.el('div', 'region-pad', frame, ui.el('div', 'row', byKeys, place));
  let at: Place = { x: 0.5, y: 0.5 };
  let region: Region | null = null;
  let way: readonly Place[] | null = null;
  let shown = '';

  function placeOf({ clientX, clientY }: MouseEvent): Place | null {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return width > 0 && height > 0 ? { x: (clientX - left) / width, y: (clientY - top) / height } : null;
  }
  const showCross = (): void => {
    cross.style.left = percent(at.x);
    cross.style.top = percent(at.y);
    setText(place, t.region.place(Math.round(100 * at.x), Math.round(100 * at.y)));
  };

  ui.on(frame, 'pointerdown', (event) => {
    const first = placeOf(event);
    if (first === null || region === null) return;
    event.preventDefault();
    if (region.tool === 'polygon') {
      dispatch({ type: 'region-place-added', place: first });
      return;
    }
    way = [first];
    frame.setPointerCapture(event.pointerId);
  });
  ui.on(frame, 'pointermove', (event) => {
    const next = placeOf(event);
    const last = way?.at(-1);
    if (next === null || way === null || last === undefined || region === null) return;
    if (Math.hypot(next.x - last.x, next.y - last.y) < leastWay) return;
    way = region.tool === 'brush' ? [...way, next] : [...way.slice(0, 1), next];
    draw();
  });
  ui.on(frame, 'pointerup', () => {
    const places = way;
    way = null;
    if (places !== null) dispatch({ type: 'region-drawn', places });
  });
  ui.on(frame, 'pointercancel', () => {
    way = null;
    draw();
  });
  ui.on(byKeys, 'keydown', (event) => {
    const step = event.shiftKey ? bigKeyStep : keyStep;
    const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[
      event.key
    ] ?? [0, 0];
    const isUndo = event.key === 'Backspace';
    if (dx === 0 && dy === 0 && !isUndo) return;
    event.preventDefault();
    event.stopPropagation();
    if (isUndo) dispatch({ type: 'region-undone' });
    const inside = (value: number): number => Math.min(1, Math.max(0, value));
    at = { x: inside(at.x + (dx ?? 0)), y: inside(at.y + (dy ?? 0)) };
    showCross();
  });
  ui.on(byKeys, 'focus', () => show(cross, true));
  ui.on(byKeys, 'blur', () => show(cross, false));
  ui.on(image, 'load', () => {
    shown = '';
    draw();
  });
  showCross();

  function draw(): void {
    if (region === null) return;
    const aspect = image.naturalHeight > 0 ? image.naturalWidth / image.naturalHeight : 16 / 9;
    const current = way === null ? null : shapeOf(region, way);
    const shapes = [...(drawingAt(region)?.shapes ?? []), ...(current === null ? [] : [current])];
    const { begun, invert } = region;
    const text = JSON.stringify([shapes, begun, invert && shapes.length > 0, aspect]);
    if (text === shown) return;
    shown = text;
    while (overlay.firstChild !== null) overlay.removeChild(overlay.firstChild);
    const runs = shapes.length === 0 ? [] : coveredRuns(shapes, invert, aspect);
    for (const { row, from, to } of runs) {
      const run = ui.el('div', 'region-run');
      run.style.top = percent(row / overlayRows);
      run.style.height = percent(1 / overlayRows);
      run.style.left = percent(from);
      run.style.width = percent(to - from);
      overlay.appendChild(run);
    }
    for (const { x, y } of begun) {
      const corner = ui.el('div', 'region-corner');
      corner.style.left = percent(x);
      corner.style.top = percent(y);
      overlay.appendChild(corner);
    }
  }

  return {
    root,
    update(next: Region): void {
      region = next;
      const { still } = next;
      show(root, still.name === 'shown');
      if (still.name === 'shown') setPicture(image, still.url);
      draw();
    },
  };
}
