// "What may change": the whole picture, a region that is drawn on a still of the clip, or what words name.

import { maxFeather } from '../../../../protocol/mask.ts';
import { sourceIdOf } from '../../state/choices.ts';
import { regionKinds, regionTools, wordsBlock, type RegionChange } from '../../state/region.ts';
import type { PanelState } from '../../state/panel-state.ts';
import type { Context, Piece } from '../context.ts';
import { createNumber, createSegments } from './fields.ts';
import { createRegionPad } from './region-pad.ts';
import { setText, setValue, show } from '../ui.ts';

export function createRegionView(context: Context): Piece {
  const { ui, t, dispatch, env } = context;
  const r = t.region;
  const kinds = createSegments(context, r.title, regionKinds, r.kinds, (kind) =>
    dispatch({ type: 'region-changed', change: { kind } }),
  );
  const tools = createSegments(context, r.tool, regionTools, r.tools, (tool) =>
    dispatch({ type: 'region-changed', change: { tool } }),
  );
  const toggle = (label: string, changeTo: (value: boolean) => RegionChange) => {
    let isOn = false;
    const button = ui.button(label, 'small toggle', () =>
      dispatch({ type: 'region-changed', change: changeTo(!isOn) }),
    );
    return {
      button,
      update(value: boolean): void {
        isOn = value;
        ui.choose(button, value, 'pressed');
      },
    };
  };
  const erases = toggle(r.erase, (value) => ({ erases: value }));
  const invert = toggle(r.invert, (value) => ({ invert: value }));
  const follows = toggle(r.follows, (value) => ({ follows: value }));
  const asAlpha = toggle(r.asAlpha, (value) => ({ asAlpha: value }));
  ui.hint(asAlpha.button, r.asAlphaHint);
  const undo = ui.button(r.undo, 'small', () => dispatch({ type: 'region-undone' }));
  const clear = ui.button(r.clear, 'quiet small', () => dispatch({ type: 'region-cleared' }));
  const close = ui.button(r.close, 'small', () => dispatch({ type: 'region-closed' }));
  const getStill = ui.button(r.getStill, 'small', () => dispatch({ type: 'region-still-pressed' }));
  const waiting = ui.el('div', 'hint');
  const pad = createRegionPad(context);
  const position = ui.el('input', 'range');
  position.type = 'range';
  position.min = '0';
  position.step = '1';
  ui.name(position, r.frame);
  ui.on(position, 'input', () => dispatch({ type: 'region-frame-chosen', frame: Number(position.value) }));
  const frameText = ui.el('span', 'time');
  const drawn = ui.el(
    'div',
    'region-drawn',
    ui.el('div', 'row', tools.root),
    ui.el('div', 'row', erases.button, undo, close, clear),
    ui.el('div', 'row', getStill),
    waiting,
    pad.root,
    ui.el('div', 'row', position, frameText),
    ui.el('div', 'hint', r.drawnHint),
  );
  const words = ui.el('input', 'field');
  words.type = 'text';
  words.placeholder = r.wordsPlaceholder;
  ui.name(words, r.words);
  ui.on(words, 'input', () => dispatch({ type: 'region-changed', change: { words: words.value } }));
  const wordsHint = ui.el('div', 'hint');
  const worded = ui.el('div', 'region-words', words, wordsHint);
  const feather = createNumber(context, r.feather, { min: 0, max: maxFeather, isWhole: true }, (value) =>
    dispatch({ type: 'region-changed', change: { feather: value ?? 0 } }),
  );
  const edge = ui.el(
    'div',
    'row',
    invert.button,
    follows.button,
    asAlpha.button,
    ui.el('span', 'label', r.feather),
    feather.field,
  );
  return {
    root: ui.el(
      'section',
      'section',
      ui.el('div', 'row', ui.el('span', 'label fixed', r.title), kinds.root),
      drawn,
      worded,
      edge,
    ),
    update(state) {
      const { region } = state;
      const { kind, still } = region;
      kinds.update(kind);
      tools.update(region.tool);
      show(drawn, kind === 'drawn');
      show(worded, kind === 'words');
      show(edge, kind !== 'whole');
      erases.update(region.erases);
      invert.update(region.invert);
      follows.update(region.follows);
      show(follows.button, kind === 'drawn');
      asAlpha.update(region.asAlpha);
      feather.update(region.feather);
      show(close, region.begun.length > 2 && region.tool === 'polygon');
      show(clear, region.drawings.length > 0);
      const media = mediaOf(state);
      show(getStill, env.kind === 'premiere' && media === null && still.name !== 'asking');
      show(waiting, still.name !== 'shown');
      setText(waiting, waitingText(state, context));
      show(position, media !== null);
      const last = (media?.frameCount ?? 1) - 1;
      position.max = String(last);
      setValue(position, String(Math.min(last, region.frame)));
      setText(frameText, media === null ? '' : r.frameOf(Math.min(last, region.frame) + 1, last + 1));
      setValue(words, region.words);
      const block = wordsBlock(state);
      setText(wordsHint, block === 'not-in-source' ? r.notInSource : r.wordsHint);
      pad.update(region);
    },
  };
}

function mediaOf({ selection, prepared }: PanelState) {
  const clip = selection?.clips[0];
  if (clip === undefined || prepared?.sourceId !== sourceIdOf(clip)) return null;
  return prepared.clip?.media ?? null;
}

function waitingText(state: PanelState, { t, env }: Context): string {
  const r = t.region;
  if ((state.selection?.clips ?? []).length === 0) return r.noClip;
  if (state.region.still.name === 'failed') return r.noStill;
  const isSent = mediaOf(state) !== null || state.region.still.name === 'asking';
  return env.kind === 'premiere' && !isSent ? r.getStillHint : r.fetching;
}
