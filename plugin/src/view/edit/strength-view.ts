// The strength: a slider from keeping the clip's structure to following the prompt, with named stops.

import { strengthStops, nearestStop } from '../../state/form.ts';
import type { Context, Piece } from '../context.ts';
import { setText, setValue } from '../ui.ts';

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
  const stopsRow = ui.el('div', 'stops', ...stops.map(({ button }) => button));
  ui.group(stopsRow, 'choices', t.strength.label);
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
    stopsRow,
    hint,
  );
  return {
    root,
    update({ form }) {
      const percent = Math.round(form.strength * 100);
      setValue(slider, String(percent));
      const nearest = nearestStop(form.strength);
      ui.describe(slider, { valuetext: `${t.strength.stops[nearest]}, ${percent}` });
      for (const { name, button } of stops) ui.choose(button, name === nearest, 'checked');
      setText(hint, t.strength.hints[nearest]);
    },
  };
}
