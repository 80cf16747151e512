// Fields that several sections have: a choice of few, a switch, and a number.

import type { Context } from '../context.ts';
import { setValue } from '../ui.ts';

export function createSegments<Value extends string>(
  { ui }: Context,
  label: string,
  values: readonly Value[],
  labels: Readonly<Record<Value, string>>,
  onChoose: (value: Value) => void,
) {
  const buttons = values.map((value) => ({
    value,
    button: ui.button(labels[value], 'segment', () => onChoose(value)),
  }));
  const root = ui.el('div', 'segments', ...buttons.map(({ button }) => button));
  ui.group(root, 'choices', label);
  return {
    root,
    update(current: Value): void {
      for (const { value, button } of buttons) ui.choose(button, value === current, 'checked');
    },
  };
}

export function createToggle({ ui }: Context, label: string, hint: string, onChange: (isOn: boolean) => void) {
  let isOn = false;
  const button = ui.button(label, 'small toggle', () => onChange(!isOn));
  ui.hint(button, hint);
  return {
    button,
    update(value: boolean): void {
      isOn = value;
      ui.choose(button, value, 'pressed');
    },
  };
}

/** A number in a text field: UXP has no number field. Empty is null; what is no number is put back. */
export function createNumber(
  { ui, t }: Context,
  label: string,
  { min, max, isWhole }: { readonly min: number; readonly max: number; readonly isWhole: boolean },
  onChange: (value: number | null) => void,
) {
  const field = ui.el('input', 'field number');
  field.type = 'text';
  field.placeholder = t.advanced.auto;
  ui.name(field, label);
  let current: number | null = null;
  const read = (): void => {
    const text = field.value.trim();
    const value = Number(text.replace(',', '.'));
    if (text === '') onChange(null);
    else if (Number.isFinite(value)) {
      onChange(Math.min(max, Math.max(min, isWhole ? Math.round(value) : value)));
    }
    setValue(field, current === null ? '' : String(current));
  };
  ui.on(field, 'change', read);
  return {
    field,
    update(value: number | null): void {
      const isNew = value !== current;
      current = value;
      if (isNew) setValue(field, value === null ? '' : String(value));
    },
  };
}
