// What is selected on the timeline, and why something of it cannot be edited.

import type { RejectedItem, SelectedClip } from '../../host/selection.ts';
import { exportModes } from '../../host/selection.ts';
import type { Context, Piece } from '../context.ts';
import { keyedList, setClass, setText, show } from '../ui.ts';

export function createClipView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const refresh = ui.button(t.clip.refresh, 'quiet small', () => dispatch({ type: 'refresh-pressed' }));
  const empty = ui.el('div', 'hint');
  const list = ui.el('div', 'clips');
  const clips = keyedList<SelectedClip>(
    list,
    ({ key }) => key,
    (clip) => createClip(context, clip),
  );
  const rejectedList = ui.el('div', 'rejected');
  const rejected = keyedList<RejectedItem>(
    rejectedList,
    ({ name, reason }) => `${name}/${reason}`,
    ({ name, reason }) => ({
      root: ui.el('div', 'rejected-item', ui.el('span', 'rejected-name', name), ` ${t.clip.rejected[reason]}`),
      update: () => undefined,
    }),
  );
  const modeButtons = exportModes.map((mode) => ({
    mode,
    button: ui.button(t.clip.modes[mode], 'segment', () => dispatch({ type: 'export-mode-chosen', mode })),
  }));
  const modes = ui.el(
    'div',
    'row modes',
    ui.el('span', 'label', t.clip.modeLabel),
    ui.el('div', 'segments', ...modeButtons.map(({ button }) => button)),
  );
  const place = ui.el('div', 'hint');
  const root = ui.el(
    'section',
    'section',
    ui.el('div', 'section-head', ui.el('h2', 'section-title', t.clip.title), refresh),
    empty,
    list,
    rejectedList,
    modes,
    place,
  );
  return {
    root,
    update(state) {
      const { selection, isReadingSelection } = state;
      const selected = selection?.clips ?? [];
      const reason = selection?.empty ?? null;
      show(empty, selection === null || reason !== null);
      setText(empty, reason === null ? (isReadingSelection ? t.clip.reading : '') : t.clip.empty[reason]);
      clips.update(selected);
      rejected.update(selection?.rejected ?? []);
      const isChoice = selected.some((clip) => clip.modes.length > 1);
      show(modes, isChoice);
      const current = state.exportMode ?? selected[0]?.modes[0] ?? null;
      for (const { mode, button } of modeButtons) setClass(button, 'on', mode === current);
      const track = selected.length === 1 ? (selected[0]?.freeTrackIndex ?? null) : null;
      show(place, track !== null || selected.length > 1);
      setText(place, track === null ? t.clip.several(selected.length) : t.clip.willPlace(track));
    },
  };
}

function createClip({ ui, t, dispatch }: Context, first: SelectedClip) {
  const name = ui.el('div', 'clip-name', first.name);
  const facts = ui.el('div', 'clip-facts');
  const warnings = ui.el('div', 'clip-warnings');
  const revise = ui.el('div', 'hint', t.clip.revise);
  let edit = first.edit;
  const what = ui.button(t.clip.whatMade, 'quiet small', () => {
    if (edit !== null) dispatch({ type: 'overlay-opened', overlay: { name: 'recipe', ...edit } });
  });
  return {
    root: ui.el('div', 'clip', name, facts, warnings, revise, what),
    update(clip: SelectedClip): void {
      edit = clip.edit;
      setText(name, clip.name);
      const { frames, frameRate, size } = clip;
      const parts = [
        ...(frames === null ? [] : [t.clip.frames(frames)]),
        ...(frameRate === null ? [] : [t.clip.rate(rateText(frameRate))]),
        ...(size === null ? [] : [`${size.width} x ${size.height}`]),
      ];
      setText(facts, parts.join(' · '));
      setText(warnings, clip.warnings.map((warning) => t.clip.warnings[warning]).join(' '));
      show(warnings, clip.warnings.length > 0);
      show(revise, edit !== null);
      show(what, edit !== null);
    },
  };
}

/** 30000/1001 is written 29.97. */
export function rateText({ numerator, denominator }: { numerator: number; denominator: number }): string {
  return String(Math.round((numerator / denominator) * 1000) / 1000);
}
