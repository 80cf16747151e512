// The LoRA of the edit: added from what the server offers, each with a strength, removed.

import { loraStrengthRange } from '../../../../protocol/limits.ts';
import type { LoraChoice } from '../../../../protocol/lora.ts';
import { canAddLora, withLora, withLoraStrength, withoutLora, type OfferedLora } from '../../state/loras.ts';
import type { Context, Piece } from '../context.ts';
import { setOptions } from './fields.ts';
import { keyedList, setText, setValue, show } from '../ui.ts';

/** Steps of the slider from one whole strength to the next. */
const stepsPerUnit = 20;

interface Row {
  readonly choice: LoraChoice;
  /** Null for one that the server does not have. */
  readonly offered: OfferedLora | null;
}

export function createLoraView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  let chosen: readonly LoraChoice[] = [];
  const change = (loras: readonly LoraChoice[]): void => dispatch({ type: 'form-changed', change: { loras } });
  const list = ui.el('div', 'loras');
  const rows = keyedList<Row>(
    list,
    ({ choice }) => choice.name,
    (row) => createRow(context, row.choice.name, () => chosen, change),
  );
  const more = ui.el('select', 'field select');
  ui.name(more, t.loras.add);
  ui.on(more, 'change', () => {
    const name = more.value;
    // It is a button in the form of a list: what is chosen goes into the list above.
    more.value = '';
    if (name !== '') change(withLora(chosen, name));
  });
  const root = ui.el(
    'section',
    'section',
    ui.el('div', 'row', ui.el('span', 'label fixed', t.loras.title), more),
    list,
  );
  return {
    root,
    update({ form, loras }) {
      chosen = form.loras;
      show(root, loras.length + chosen.length > 0);
      rows.update(
        chosen.map((choice) => ({ choice, offered: loras.find(({ name }) => name === choice.name) ?? null })),
      );
      const addable = loras.filter(({ name }) => !chosen.some((one) => one.name === name));
      show(more, addable.length > 0 && canAddLora(chosen));
      setOptions(ui, more, [
        { value: '', text: t.loras.add },
        ...addable.map((one) => ({ value: one.name, text: textOf(one) })),
      ]);
    },
  };

  function textOf({ title, family }: OfferedLora): string {
    return family === null ? title : `${title} (${t.loras.madeFor(family)})`;
  }
}

function createRow(
  { ui, t }: Context,
  name: string,
  chosen: () => readonly LoraChoice[],
  change: (loras: readonly LoraChoice[]) => void,
) {
  const title = ui.el('span', 'lora-title');
  const amount = ui.el('span', 'lora-strength');
  const remove = ui.button('×', 'quiet small', () => change(withoutLora(chosen(), name)));
  const slider = ui.el('input', 'range');
  slider.type = 'range';
  slider.min = String(loraStrengthRange.min * stepsPerUnit);
  slider.max = String(loraStrengthRange.max * stepsPerUnit);
  slider.step = '1';
  ui.on(slider, 'input', () => change(withLoraStrength(chosen(), name, Number(slider.value) / stepsPerUnit)));
  const gone = ui.el('div', 'hint', t.loras.gone);
  return {
    root: ui.el('div', 'lora', ui.el('div', 'row', title, amount, remove), slider, gone),
    update({ choice, offered }: Row): void {
      const text = offered?.title ?? name;
      setText(title, text);
      setText(amount, choice.strength.toFixed(2));
      setValue(slider, String(Math.round(choice.strength * stepsPerUnit)));
      ui.name(slider, t.loras.strength(text));
      ui.name(remove, t.loras.remove(text));
      show(gone, offered === null);
    },
  };
}
