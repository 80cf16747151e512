// The one dial: from keeping the clip's structure to following the prompt, with named stops.

import { dialStops, nearestStop } from '../state/form.ts';
import type { Context, Piece } from './context.ts';
import { setClass, setText, setValue } from './ui.ts';

export function createDialView({ ui, t, dispatch }: Context): Piece {
  const turn = (dial: number): void => dispatch({ type: 'form-changed', change: { dial } });
  const slider = ui.el('input', 'range dial');
  slider.type = 'range';
  slider.min = '0';
  slider.max = '100';
  slider.step = '1';
  ui.name(slider, t.dial.label);
  ui.on(slider, 'input', () => turn(Number(slider.value) / 100));
  const stops = dialStops.map(({ at, name }) => ({
    name,
    button: ui.button(t.dial.stops[name], 'stop', () => turn(at)),
  }));
  const hint = ui.el('div', 'hint');
  const root = ui.el(
    'section',
    'section',
    ui.el('div', 'dial-ends', ui.el('span', 'label strong', t.dial.keep), ui.el('span', 'label strong', t.dial.follow)),
    slider,
    ui.el('div', 'stops', ...stops.map(({ button }) => button)),
    hint,
  );
  return {
    root,
    update({ form }) {
      setValue(slider, String(Math.round(form.dial * 100)));
      const nearest = nearestStop(form.dial);
      for (const { name, button } of stops) setClass(button, 'on', name === nearest);
      setText(hint, t.dial.hints[nearest]);
    },
  };
}
