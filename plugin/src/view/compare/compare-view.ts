// The original and the edit, frame by frame: wipe, side by side, flip, and maps of difference and flicker.

import { compareModes, pictureUrl, sidesOf, type CompareState } from '../../state/compare.ts';
import type { Context, Piece } from '../context.ts';
import { createPicture } from './compare-picture.ts';
import { createProblemView } from '../problem-view.ts';
import { createWipeView } from './wipe-view.ts';
import { setClass, setText, setValue, show } from '../ui.ts';

export function createCompareView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const c = t.compare;
  const modes = compareModes.map((mode) => ({
    mode,
    button: ui.button(c.modes[mode], 'segment', () => dispatch({ type: 'compare-mode-chosen', mode })),
  }));
  const wipe = createWipeView(context);
  const left = createPicture(context, c.original);
  const right = createPicture(context, c.edit);
  const side = ui.el('div', 'side', left.root, right.root);
  const flip = createPicture(context, '');
  const flipButton = ui.button('', 'flip-button', () => dispatch({ type: 'compare-flipped' }));
  flip.root.appendChild(flipButton);
  const map = createPicture(context, '');
  const note = ui.el('div', 'hint');
  const loading = ui.el('div', 'stage-note', c.loading);
  const stage = ui.el('div', 'stage', ...[wipe.root, side, flip.root, map.root, loading]);
  const problem = createProblemView(context);

  const play = ui.button(c.play, 'small play', () => dispatch({ type: 'play-toggled' }));
  const scrubber = ui.el('input', 'range');
  scrubber.type = 'range';
  scrubber.min = '0';
  scrubber.step = '1';
  ui.name(scrubber, c.scrubber);
  ui.on(scrubber, 'input', () => dispatch({ type: 'frame-chosen', frameIndex: Number(scrubber.value) }));
  const frame = ui.el('span', 'time');
  const transport = ui.el('div', 'row transport', play, scrubber, frame);
  const keys = ui.el('div', 'hint keys', c.keys);
  const monitor = createMonitorRow(context);
  const modesRow = ui.el('div', 'segments modes-row', ...modes.map(({ button }) => button));
  ui.group(modesRow, 'choices', c.modesLabel);
  const body = ui.el('div', 'compare', modesRow, stage, note, transport, problem.root, monitor.root, keys);
  const empty = ui.el('div', 'empty', ui.el('div', 'empty-art'), ui.el('div', 'hint', c.empty));
  const root = ui.el('div', 'page-body', empty, body);

  return {
    root,
    update(state) {
      const { compare } = state;
      show(empty, compare === null);
      show(body, compare !== null);
      if (compare === null) return;
      const { mode, frameIndex, subject } = compare;
      const isPreview = compare.about.kind === 'preview';
      for (const one of modes) {
        ui.choose(one.button, one.mode === mode, 'checked');
        // Keyframes are no neighbours: that they differ says nothing.
        show(one.button, !(isPreview && one.mode === 'flicker'));
      }
      show(wipe.root, mode === 'wipe');
      show(side, mode === 'side');
      show(flip.root, mode === 'flip');
      setClass(stage, 'wide-stage', mode === 'side');
      if (subject !== null) setRatio(stage, subject.size);
      const original = pictureUrl(compare, 'original', frameIndex);
      const edit = pictureUrl(compare, 'edit', frameIndex);
      if (mode === 'wipe') wipe.update(compare);
      if (mode === 'side') {
        left.update(original);
        right.update(edit);
      }
      if (mode === 'flip') {
        flip.update(compare.shown === 'edit' ? edit : original);
        setText(flipButton, compare.shown === 'edit' ? c.edit : c.original);
      }
      const isMap = mode === 'difference' || mode === 'flicker';
      show(map.root, isMap);
      if (isMap) map.update(pictureUrl(compare, mode, frameIndex));
      setText(note, noteOf(compare, context));
      show(note, isMap);
      const isHere = sidesOf(mode).every((one) => pictureUrl(compare, one, frameIndex) !== null);
      show(loading, !isHere && compare.problem === null);
      setText(play, compare.isPlaying ? c.pause : c.play);
      const frames = subject?.frames ?? 1;
      scrubber.max = String(Math.max(1, frames - 1));
      setValue(scrubber, String(frameIndex));
      setText(frame, isPreview ? c.keyframe(frameIndex + 1, frames) : c.frame(frameIndex + 1, frames));
      problem.update(compare.problem);
      monitor.update(state);
    },
  };
}

function noteOf({ mode }: CompareState, { t }: Context): string {
  if (mode === 'difference') return t.compare.differenceNote;
  return mode === 'flicker' ? t.compare.flickerNote : '';
}

/** The height of a stage follows from its width: UXP has no aspect-ratio, but a padding in percent. */
function setRatio(stage: HTMLElement, { width, height }: { width: number; height: number }): void {
  stage.style.setProperty('--ratio', String(width / height));
  stage.style.setProperty('--tall', `${(height / width) * 100}%`);
}

/** In Premiere the monitors compare too. */
function createMonitorRow({ ui, t, dispatch }: Context): Piece {
  let editId = '';
  const toggle = ui.button('', 'small', () => dispatch({ type: 'show-toggled', editId }));
  const original = ui.button(t.compare.sourceMonitor, 'small', () => dispatch({ type: 'original-pressed', editId }));
  return {
    root: ui.el('div', 'row actions', toggle, original),
    update({ host, compare, isShown }) {
      const about = compare?.about;
      const isVersion = about?.kind === 'version';
      editId = isVersion ? about.editId : '';
      show(toggle, isVersion && isShown !== null);
      setText(toggle, isShown === true ? t.compare.onTimeline.hide : t.compare.onTimeline.show);
      show(original, isVersion && host.abilities.includes('source-monitor'));
    },
  };
}
