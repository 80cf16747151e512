// How the model is shown the clip: by its tags, through a lookup table that the user picks, or as it is stored.

import { modelColours } from '../../../../protocol/edit-settings.ts';
import type { EditForm } from '../../state/form.ts';
import type { Context } from '../context.ts';
import { setText, show } from '../ui.ts';
import { createSegments } from './fields.ts';

export interface ModelColourField {
  readonly root: HTMLElement;
  /** Picks another table. */
  readonly pick: HTMLElement;
  readonly hint: HTMLElement;
  update(form: EditForm): void;
}

export function createModelColourField(context: Context): ModelColourField {
  const { ui, t, dispatch } = context;
  const a = t.advanced;
  let hasTable = false;
  const ask = (): void => dispatch({ type: 'lookup-table-pressed' });
  const segments = createSegments(context, a.colour, modelColours, a.colours, (modelColour) => {
    if (modelColour === 'table' && !hasTable) ask();
    else dispatch({ type: 'form-changed', change: { modelColour } });
  });
  const pick = ui.button(a.pickTable, 'small', ask);
  const hint = ui.el('div', 'hint', a.colourHint);
  return {
    root: segments.root,
    pick,
    hint,
    update({ modelColour, lookupTable }) {
      hasTable = lookupTable !== null;
      segments.update(modelColour ?? 'auto');
      setText(pick, lookupTable === null ? a.pickTable : a.pickedTable(lookupTable.name));
      show(pick, modelColour === 'table');
    },
  };
}
