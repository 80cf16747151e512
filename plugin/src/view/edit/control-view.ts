// The ControlNets of the edit: added by what they are shown, each with its picture of the chosen frame.

import { madeControlKinds, type ControlChoice, type MadeControlKind } from '../../../../protocol/control.ts';
import { controlScaleRange } from '../../../../protocol/limits.ts';
import { offeredControls, sourceIdOf } from '../../state/choices.ts';
import {
  canAddControl,
  controlFault,
  netsToChoose,
  withControl,
  withControlChange,
  withoutControl,
  type ControlChange,
  type ControlFault,
  type OfferedControls,
} from '../../state/controls.ts';
import type { PanelState } from '../../state/panel-state.ts';
import type { Context, Piece } from '../context.ts';
import { setPicture } from '../compare/compare-picture.ts';
import { keyedList, setText, setValue, show } from '../ui.ts';
import { createNumber, createToggle, setOptions, type Option } from './fields.ts';

/** Steps of the slider from one whole strength to the next. */
const stepsPerUnit = 20;

interface Row {
  readonly index: number;
  readonly choice: ControlChoice;
  readonly nets: readonly Option[];
  readonly picture: string | null;
  readonly fault: ControlFault | null;
}

interface Changes {
  readonly change: (index: number, change: ControlChange) => void;
  readonly remove: (index: number) => void;
}

export function createControlView(context: Context): Piece {
  const { ui, t, dispatch, env } = context;
  const c = t.controls;
  let chosen: readonly ControlChoice[] = [];
  const put = (controls: readonly ControlChoice[]): void => dispatch({ type: 'form-changed', change: { controls } });
  const changes: Changes = {
    change: (index, change) => put(withControlChange(chosen, index, change)),
    remove: (index) => put(withoutControl(chosen, index)),
  };
  const more = ui.el('select', 'field select');
  ui.name(more, c.add);
  setOptions(ui, more, [
    { value: '', text: c.add },
    ...madeControlKinds.map((kind) => ({ value: kind, text: c.kinds[kind] })),
  ]);
  ui.on(more, 'change', () => {
    const kind = more.value;
    // It is a button in the form of a list: what is chosen goes into the list below.
    more.value = '';
    if (kind !== '') put(withControl(chosen, kind as MadeControlKind));
  });
  const none = ui.el('div', 'hint', c.none);
  const list = ui.el('div', 'controls-of-form');
  const rows = keyedList<Row>(
    list,
    ({ index, choice }) => `${index} ${choice.kind}`,
    (row) => createRow(context, row, changes),
  );
  const getStill = ui.button(t.region.getStill, 'small', () => dispatch({ type: 'region-still-pressed' }));
  ui.hint(getStill, t.region.getStillHint);
  const position = ui.el('input', 'range');
  position.type = 'range';
  position.min = '0';
  position.step = '1';
  ui.name(position, c.frame);
  ui.on(position, 'input', () => dispatch({ type: 'region-frame-chosen', frame: Number(position.value) }));
  const frameText = ui.el('span', 'time');
  const frameRow = ui.el('div', 'row', position, frameText);
  return {
    root: ui.el(
      'div',
      'control-form',
      ui.el('div', 'row', ui.el('span', 'label fixed', c.title), more),
      ui.el('div', 'hint', c.hint),
      none,
      getStill,
      frameRow,
      list,
    ),
    update(state) {
      chosen = state.form.controls;
      const offered = offeredControls(state);
      const frames = framesOf(state);
      const isUsed = chosen.length > 0;
      show(more, canAddControl(chosen));
      show(none, offered.nets?.length === 0);
      show(getStill, isUsed && env.kind === 'premiere' && frames === null && state.region.still.name !== 'asking');
      show(frameRow, isUsed && frames !== null);
      const last = (frames ?? 1) - 1;
      position.max = String(last);
      setValue(position, String(Math.min(last, state.region.frame)));
      setText(frameText, t.region.frameOf(Math.min(last, state.region.frame) + 1, last + 1));
      rows.update(
        chosen.map((choice, index) => ({
          index,
          choice,
          nets: optionsOf(context, offered, choice),
          picture: choice.kind === 'own' ? null : (state.controlPictures[choice.kind] ?? null),
          fault: controlFault(offered, choice),
        })),
      );
    },
  };
}

/** Of the clip that the server has; null before. */
function framesOf({ selection, prepared }: PanelState): number | null {
  const clip = selection?.clips[0];
  if (clip === undefined || prepared?.sourceId !== sourceIdOf(clip)) return null;
  return prepared.clip?.media.frameCount ?? null;
}

function optionsOf(
  { t: { controls: c } }: Context,
  offered: OfferedControls,
  { kind, net }: ControlChoice,
): readonly Option[] {
  const nets = netsToChoose(offered);
  const known = nets.map(({ name, title }) => {
    const isFit = controlFault(offered, { kind, net: name }) === null;
    return { value: name, text: isFit ? title : c.unfit(title) };
  });
  const isGone = net !== undefined && !nets.some(({ name }) => name === net);
  return [{ value: '', text: c.automatic }, ...known, ...(isGone ? [{ value: net, text: net }] : [])];
}

function createRow(context: Context, { index, choice: { kind } }: Row, { change, remove }: Changes) {
  const { ui, t } = context;
  const c = t.controls;
  const title = c.kinds[kind];
  const net = ui.el('select', 'field select');
  ui.name(net, c.net(title));
  ui.on(net, 'change', () => change(index, { net: net.value === '' ? null : net.value }));
  const removing = ui.button('×', 'quiet small', () => remove(index));
  ui.name(removing, c.remove(title));
  const picture = ui.el('img', 'control-picture');
  picture.alt = c.picture(title);
  const amount = ui.el('span', 'lora-strength');
  const slider = ui.el('input', 'range');
  slider.type = 'range';
  slider.min = String(controlScaleRange.min * stepsPerUnit);
  slider.max = String(controlScaleRange.max * stepsPerUnit);
  slider.step = '1';
  ui.name(slider, c.strengthOf(title));
  ui.on(slider, 'input', () => change(index, { scale: Number(slider.value) / stepsPerUnit }));
  const percents = { min: 0, max: 100, isWhole: true };
  const start = createNumber(context, c.fromOf(title), percents, (value) =>
    change(index, { start: (value ?? 0) / 100 }),
  );
  const end = createNumber(context, c.toOf(title), percents, (value) => change(index, { end: (value ?? 100) / 100 }));
  const guess = createToggle(context, c.guess, c.guessHint, (isOn) => change(index, { guess: isOn }));
  const fault = ui.el('div', 'hint control-fault');
  return {
    root: ui.el(
      'div',
      'control',
      ui.el('div', 'row', ui.el('span', 'lora-title', title), removing),
      net,
      fault,
      picture,
      ui.el('div', 'row', ui.el('span', 'label', c.strength), slider, amount),
      ui.el(
        'div',
        'row',
        ui.el('span', 'label', c.from),
        start.field,
        ui.el('span', 'label', c.to),
        end.field,
        guess.button,
      ),
    ),
    update({ choice, nets, picture: url, fault: found }: Row): void {
      setOptions(ui, net, nets);
      setValue(net, choice.net ?? '');
      setText(amount, choice.scale.toFixed(2));
      setValue(slider, String(Math.round(choice.scale * stepsPerUnit)));
      start.update(Math.round(choice.start * 100));
      end.update(Math.round(choice.end * 100));
      guess.update(choice.guess);
      show(picture, url !== null);
      if (url !== null) setPicture(picture, url);
      show(fault, found !== null);
      setText(fault, found === null ? '' : faultText(context, title, found));
    },
  };
}

function faultText({ t: { controls: c } }: Context, kind: string, fault: ControlFault): string {
  switch (fault.name) {
    case 'none':
      return c.faults.none(kind, fault.family);
    case 'gone':
      return c.faults.gone;
    case 'unusable':
      return fault.reason;
    case 'other-family':
      return c.faults.otherFamily(fault.family, fault.wanted);
  }
}
