// The film strip of a preview: every keyframe as it would become, the original below it, and when it is in the clip. A frame
// that is pressed opens the comparison there; the arrows go from frame to frame.

import { pictureKey, type Picture } from '../state/compare.ts';
import type { Film, Shot } from '../state/film.ts';
import { isCurrent, previewed, shotsOf } from '../state/preview.ts';
import type { Context, Piece } from './context.ts';
import { setPicture } from './compare-picture.ts';
import { keyedList, setClass, setText, show } from './ui.ts';

export function createFilmView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const frames = ui.el('span', 'clip-facts');
  const outdated = ui.el('span', 'badge problem-badge', t.film.outdated);
  const hint = ui.el('div', 'hint');
  const strip = ui.el('div', 'film-strip');
  const cells = keyedList<Cell>(
    strip,
    ({ film, shot }) => `${film.key}/${shot.shot}`,
    (cell) => createCell(context, cell),
  );
  const dismiss = ui.button(t.film.dismiss, 'quiet small', () => dispatch({ type: 'preview-dismissed' }));
  const head = ui.el('h2', 'section-title', t.film.title);
  const root = ui.el(
    'section',
    'section film',
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
      const { film, compare } = state;
      const task = previewed(state);
      show(root, film !== null && task !== null);
      if (film === null || task === null) {
        shown = null;
        return;
      }
      const shots = shotsOf(task);
      const isFresh = isCurrent(state, task);
      setText(frames, t.film.keyframes(shots.length));
      show(frames, isFresh);
      show(outdated, !isFresh);
      setText(hint, isFresh ? t.film.current : t.film.outdatedText);
      setClass(strip, 'outdated', !isFresh);
      const size = task.report?.outputSize;
      if (size !== undefined) {
        strip.style.setProperty('--tall', `${(size.height / size.width) * 100}%`);
        strip.style.setProperty('--ratio', String(size.width / size.height));
      }
      const open = compare?.about.kind === 'preview' ? compare.frameIndex : null;
      cells.update(shots.map((shot) => ({ film, shot, isOpen: shot.shot === open })));
      // Whoever pressed Preview wants to see it.
      if (shown !== film.key) root.scrollIntoView();
      shown = film.key;
    },
  };
}

interface Cell {
  readonly film: Film;
  readonly shot: Shot;
  /** Whether the comparison is at it. */
  readonly isOpen: boolean;
}

function createCell({ ui, t, dispatch }: Context, { shot }: Cell) {
  const at = t.position(shot.seconds);
  const edit = createShotPicture(ui.el('img', 'picture'));
  const original = createShotPicture(ui.el('img', 'picture'));
  const frame = (image: HTMLElement, label: string): HTMLElement =>
    ui.el('div', 'frame film-frame', image, ui.el('span', 'tag', label));
  const open = (): void => dispatch({ type: 'shot-chosen', shot: shot.shot });
  const pictures = ui.el(
    'div',
    'film-pictures',
    frame(edit.image, t.film.edit),
    frame(original.image, t.film.original),
  );
  ui.on(pictures, 'click', open);
  // The part for the keyboard: UXP draws words in a button, and nothing is said of pictures.
  const time = ui.button(at, 'quiet small film-time', open);
  ui.name(time, t.film.open(at));
  const root = ui.el('div', 'film-cell', pictures, time);
  return {
    root,
    update({ film, isOpen }: Cell): void {
      setClass(root, 'on', isOpen);
      const both = [film.pictures[pictureKey('edit', shot.shot)], film.pictures[pictureKey('original', shot.shot)]];
      edit.update(both[0]);
      original.update(both[1]);
      const isMissing = both.some((picture) => picture?.name === 'missing');
      setText(time, isMissing ? `${at} · ${t.film.missing}` : at);
    },
  };
}

function createShotPicture(image: HTMLImageElement) {
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
