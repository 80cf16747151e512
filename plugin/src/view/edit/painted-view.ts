// Frames that the user paints on: the buttons that save the shown one and give it back, and the list of those that are back.

import type { PaintedFrame } from '../../state/region.ts';
import type { Context, Piece } from '../context.ts';
import { show } from '../ui.ts';

export function createPaintedView({ ui, t, dispatch }: Context): Piece {
  const p = t.region.painted;
  const save = ui.button(p.save, 'small', () => dispatch({ type: 'painting-save-pressed' }));
  const add = ui.button(p.add, 'small', () => dispatch({ type: 'painting-add-pressed' }));
  const busy = ui.el('div', 'hint', p.busy);
  const list = ui.el('div', 'painted-list');
  let shown: readonly PaintedFrame[] = [];

  function entryOf({ frame, fileName, url }: PaintedFrame): HTMLElement {
    const image = ui.el('img', 'painted-picture');
    image.alt = p.frame(frame + 1);
    if (url !== null) image.src = url;
    const remove = ui.button(p.remove, 'quiet small', () => dispatch({ type: 'painted-removed', frame }));
    ui.name(remove, p.removeFrame(frame + 1));
    return ui.el(
      'div',
      'row painted-frame',
      ...(url === null ? [] : [image]),
      ui.el('span', 'label', p.frame(frame + 1)),
      ui.el('span', 'hint', fileName),
      remove,
    );
  }

  return {
    root: ui.el('div', 'region-painted', ui.el('div', 'row', save, add), busy, list, ui.el('div', 'hint', p.hint)),
    update({ region: { painted, isPaintingBusy, still } }) {
      const isOff = isPaintingBusy || still.name !== 'shown';
      ui.off(save, isOff);
      ui.off(add, isOff);
      show(busy, isPaintingBusy);
      if (painted === shown) return;
      shown = painted;
      list.replaceChildren(...painted.map(entryOf));
    },
  };
}
