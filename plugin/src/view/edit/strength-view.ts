// The strength: a slider from keeping the clip's structure to following the prompt, with named stops.

import { strengthStops, nearestStop } from '../../state/form.ts';
import type { Context, Piece } from '../context.ts';
import { setClass, setText, setValue } from '../ui.ts';

export function createStrengthView({ ui, t, dispatch }: Context): Piece {
  const turn = (strength: number): void => dispatch({ type: 'form-changed', change: { strength } });
  const slider = ui.el('input', 'range strength');
  slider.type = 'range';
  slider.min = '0';
  slider.max = '100';
  slider.step = '1';
  ui.name(slider, t.strength.label);
  ui.on(slider, 'input', () => turn(Number(slider.value) / 100));
  const stops = strengthStops.map(({ at, name }) => ({
    name,
    button: ui.button(t.strength.stops[name], 'stop', () => turn(at)),
  }));
  const hint = ui.el('div', 'hint');
  const root = ui.el(
    'section',
    'section',
    ui.el(
      'div',
      'strength-ends',
      ui.el('span', 'label strong', t.strength.keep),
      ui.el('span', 'label strong', t.strength.follow),
    ),
    slider,
    ui.el('div', 'stops', ...stops.map(({ button }) => button)),
    hint,
  );
  return {
    root,
    update({ form }) {
      setValue(slider, String(Math.round(form.strength * 100)));
      const nearest = nearestStop(form.strength);
      for (const { name, button } of stops) setClass(button, 'on', name === nearest);
      setText(hint, t.strength.hints[nearest]);
    },
  };
}
