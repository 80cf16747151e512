// The original and the edit beside each other, in motion and frame by frame, with what controls that.

import { compareModes, playsVideos, type CompareState } from '../../state/compare.ts';
import type { Context, Piece } from '../context.ts';
import { zoomStep } from '../keys.ts';
import { createProblemView } from '../problem-view.ts';
import { createStage } from './compare-stage.ts';
import { setClass, setText, setValue, show } from '../ui.ts';

export function createCompareView(context: Context): Piece {
  const { ui, t, dispatch, env } = context;
  const c = t.compare;
  const modes = compareModes.map((mode) => ({
    mode,
    button: ui.button(c.modes[mode], 'segment', () => dispatch({ type: 'compare-mode-chosen', mode })),
  }));
  const stage = createStage(context);
  const note = ui.el('div', 'hint');
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
  const loop = ui.button(c.loop, 'small quiet loop', () => dispatch({ type: 'loop-toggled' }));
  const zoomBy = (factor: number): void => dispatch({ type: 'zoomed', factor, x: 0.5, y: 0.5 });
  const smaller = ui.button('-', 'small quiet zoom', () => zoomBy(1 / zoomStep));
  const larger = ui.button('+', 'small quiet zoom', () => zoomBy(zoomStep));
  const whole = ui.button('', 'small quiet', () => dispatch({ type: 'zoom-ended' }));
  ui.name(smaller, c.smaller);
  ui.name(larger, c.larger);
  ui.hint(whole, c.whole);
  const looks = ui.el('div', 'row looks', loop, ui.el('span', 'grow'), smaller, whole, larger);
  const keys = ui.el('div', 'hint keys', c.keys);
  const monitor = createMonitorRow(context);
  const modesRow = ui.el('div', 'segments modes-row', ...modes.map(({ button }) => button));
  ui.group(modesRow, 'choices', c.modesLabel);
  const body = ui.el('div', 'compare', modesRow, stage.root, note, transport, looks, problem.root, monitor.root, keys);
  const empty = ui.el('div', 'empty', ui.el('div', 'empty-art'), ui.el('div', 'hint', c.empty));
  const root = ui.el('div', 'page-body', empty, body);

  return {
    root,
    update(state) {
      const { compare } = state;
      show(empty, compare === null);
      show(body, compare !== null);
      if (compare === null) {
        stage.update(state);
        return;
      }
      const { mode, frameIndex, subject } = compare;
      const isPreview = compare.about.kind === 'preview';
      for (const one of modes) {
        ui.choose(one.button, one.mode === mode, 'checked');
        // Keyframes are no neighbours: that they differ says nothing.
        show(one.button, !(isPreview && one.mode === 'flicker'));
      }
      stage.update(state);
      const isMap = mode === 'difference' || mode === 'flicker';
      const showsPictures = compare.about.kind === 'version' && !playsVideos(compare, state.host.abilities);
      const slow = env.kind === 'browser' && showsPictures ? c.noVideo : '';
      setText(note, [noteOf(compare, context), slow].filter((text) => text !== '').join(' '));
      show(note, isMap || slow !== '');
      setText(play, compare.isPlaying ? c.pause : c.play);
      setClass(loop, 'on', compare.isLooping);
      ui.describe(loop, { pressed: compare.isLooping });
      setText(whole, `${Math.round(compare.zoom.scale * 100)} %`);
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
