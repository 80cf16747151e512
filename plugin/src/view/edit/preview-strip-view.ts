// The previewStrip strip of a preview: every keyframe as it would become, the original below it, and when it is in the clip. A frame
// that is pressed opens the comparison there; the arrows go from frame to frame.

import { pictureKey, type Picture } from '../../state/compare.ts';
import type { PreviewStrip, PreviewFrame } from '../../state/preview-strip.ts';
import { isCurrent, previewed, previewFramesOf } from '../../state/preview.ts';
import type { Context, Piece } from '../context.ts';
import { setPicture } from '../compare/compare-picture.ts';
import { keyedList, setClass, setText, show } from '../ui.ts';

export function createPreviewStripView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const frames = ui.el('span', 'clip-facts');
  const outdated = ui.el('span', 'badge problem-badge', t.previewStrip.outdated);
  const hint = ui.el('div', 'hint');
  const strip = ui.el('div', 'preview-strip-row');
  const cells = keyedList<Cell>(
    strip,
    ({ previewStrip, frame }) => `${previewStrip.key}/${frame.index}`,
    (cell) => createCell(context, cell),
  );
  const dismiss = ui.button(t.previewStrip.dismiss, 'quiet small', () => dispatch({ type: 'preview-dismissed' }));
  const head = ui.el('h2', 'section-title', t.previewStrip.title);
  const root = ui.el(
    'section',
    'section preview-strip',
    ui.el('div', 'section-head', head, frames, outdated, ui.el('span', 'grow'), dismiss),
    hint,
    strip,
  );
  ui.on(strip, 'keydown', (event) => {
    const to = neighbour(strip, event.key);
    if (to === null) return;
    event.preventDefault();
    // Not for the comparison, whose keys these are as well.
    event.stopPropagation();
    to.focus();
  });
  let shown: string | null = null;
  return {
    root,
    update(state) {
      const { previewStrip, compare } = state;
      const task = previewed(state);
      show(root, previewStrip !== null && task !== null);
      if (previewStrip === null || task === null) {
        shown = null;
        return;
      }
      const previewFrames = previewFramesOf(task);
      const isFresh = isCurrent(state, task);
      setText(frames, t.previewStrip.keyframes(previewFrames.length));
      show(frames, isFresh);
      show(outdated, !isFresh);
      setText(hint, isFresh ? t.previewStrip.current : t.previewStrip.outdatedText);
      setClass(strip, 'outdated', !isFresh);
      const size = task.report?.outputSize;
      if (size !== undefined) {
        strip.style.setProperty('--tall', `${(size.height / size.width) * 100}%`);
        strip.style.setProperty('--ratio', String(size.width / size.height));
      }
      const open = compare?.about.kind === 'preview' ? compare.frameIndex : null;
      cells.update(previewFrames.map((frame) => ({ previewStrip, frame, isOpen: frame.index === open })));
      // A user who pressed Preview wants to see it.
      if (shown !== previewStrip.key) root.scrollIntoView();
      shown = previewStrip.key;
    },
  };
}

interface Cell {
  readonly previewStrip: PreviewStrip;
  readonly frame: PreviewFrame;
  /** Whether the comparison is at it. */
  readonly isOpen: boolean;
}

function createCell({ ui, t, dispatch }: Context, { frame: shown }: Cell) {
  const at = t.position(shown.seconds);
  const edit = createFramePicture(ui.el('img', 'picture'));
  const original = createFramePicture(ui.el('img', 'picture'));
  const frame = (image: HTMLElement, label: string): HTMLElement =>
    ui.el('div', 'frame preview-strip-frame', image, ui.el('span', 'tag', label));
  const open = (): void => dispatch({ type: 'preview-frame-chosen', index: shown.index });
  const pictures = ui.el(
    'div',
    'preview-strip-pictures',
    frame(edit.image, t.previewStrip.edit),
    frame(original.image, t.previewStrip.original),
  );
  ui.on(pictures, 'click', open);
  // The part for the keyboard: UXP draws words in a button, and nothing is said of pictures.
  const time = ui.button(at, 'quiet small preview-strip-time', open);
  ui.name(time, t.previewStrip.open(at));
  const root = ui.el('div', 'preview-strip-cell', pictures, time);
  return {
    root,
    update({ previewStrip, isOpen }: Cell): void {
      setClass(root, 'on', isOpen);
      const both = [
        previewStrip.pictures[pictureKey('edit', shown.index)],
        previewStrip.pictures[pictureKey('original', shown.index)],
      ];
      edit.update(both[0]);
      original.update(both[1]);
      const isMissing = both.some((picture) => picture?.name === 'missing');
      setText(time, isMissing ? `${at} · ${t.previewStrip.missing}` : at);
    },
  };
}

function createFramePicture(image: HTMLImageElement) {
  // What it shows is said by the button of its time.
  image.alt = '';
  image.draggable = false;
  return {
    image,
    update(picture: Picture | undefined): void {
      const url = picture?.name === 'ready' ? picture.url : null;
      // An image without an address draws a broken one.
      show(image, url !== null);
      setPicture(image, url);
    },
  };
}

/** The frame that a key leads to from the one that has the focus, or null. */
function neighbour(strip: HTMLElement, key: string): HTMLElement | null {
  const cells = [...strip.querySelectorAll('button')];
  const now = cells.indexOf(strip.ownerDocument.activeElement as HTMLButtonElement);
  if (now < 0) return null;
  const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: cells.length - 1 }[key];
  return to === undefined ? null : (cells[Math.min(cells.length - 1, Math.max(0, to))] ?? null);
}
