// A web page's clip: dropped or picked, played on a real <video>, with an in and an out point.

import type { FileSnapshot } from '../../host/selection.ts';
import type { PanelState } from '../../state/panel-state.ts';
import { selectedFrames } from '../../state/choices.ts';
import type { Context, Piece, ViewFiles } from '../context.ts';
import { rateText } from './clip-view.ts';
import { createProblemView } from '../problem-view.ts';
import { setClass, setText, show } from '../ui.ts';

export function createFileView(context: Context, files: ViewFiles): Piece {
  const { ui, t } = context;
  const pick = ui.button(t.clip.pick, 'primary', () => files.pick());
  const drop = createDrop(context, files, pick);
  const player = createPlayer(context, files);
  const name = ui.el('div', 'clip-name');
  const facts = ui.el('div', 'clip-facts');
  const bar = ui.el('div', 'bar-fill');
  const sending = ui.el('div', 'sending', ui.el('span', 'hint', t.clip.sending), ui.el('div', 'bar', bar));
  const problem = createProblemView(context);
  const other = ui.button(t.clip.other, 'quiet small', () => files.clear());
  const chosen = ui.el(
    'div',
    'file',
    ui.el('div', 'file-head', ui.el('div', 'file-text', name, facts), other),
    player.root,
    sending,
    problem.root,
  );
  const root = ui.el('section', 'section', drop, chosen);
  return {
    root,
    update(state) {
      const snapshot = fileOf(state);
      const { activeElement } = root.ownerDocument;
      const isFocused = [drop, chosen].some((part) => part.contains(activeElement));
      const isTurned = drop.classList.contains('gone') === (snapshot === null);
      show(drop, snapshot === null);
      show(chosen, snapshot !== null);
      // What had the focus has just gone.
      if (isFocused && isTurned) (snapshot === null ? pick : other).focus();
      player.update(snapshot);
      if (snapshot === null) return;
      setText(name, snapshot.fileName);
      const { prepared } = state;
      const media = prepared?.clip?.media ?? null;
      setText(facts, media === null ? '' : factsOf(state, context));
      show(sending, media === null && prepared !== null && prepared.problem === null);
      const share = prepared === null || prepared.sizeBytes === 0 ? 0 : prepared.sentBytes / prepared.sizeBytes;
      bar.style.width = `${share * 100}%`;
      problem.update(prepared?.problem ?? null);
    },
  };
}

function fileOf({ selection }: PanelState): FileSnapshot | null {
  const snapshot = selection?.clips[0]?.snapshot;
  return snapshot?.kind === 'file' ? snapshot : null;
}

function factsOf(state: PanelState, { t }: Context): string {
  const media = state.prepared?.clip?.media;
  if (media === undefined) return '';
  const { size, frameRate, frameCount } = media;
  const frames = selectedFrames(state) ?? frameCount;
  return [t.clip.frames(frames), t.clip.rate(rateText(frameRate)), `${size.width} x ${size.height}`].join(' · ');
}

function createDrop({ ui, t }: Context, files: ViewFiles, pick: HTMLElement): HTMLElement {
  const root = ui.el(
    'div',
    'drop',
    ui.el('div', 'drop-icon'),
    ui.el('div', 'drop-title', t.clip.dropTitle),
    ui.el('div', 'hint', t.clip.dropText),
    pick,
    ui.el('div', 'hint', t.clip.dropNote),
  );
  const isOver = (over: boolean): void => setClass(root, 'over', over);
  ui.on(root, 'dragover', (event) => {
    event.preventDefault();
    isOver(true);
  });
  ui.on(root, 'dragleave', () => isOver(false));
  ui.on(root, 'drop', (event) => {
    event.preventDefault();
    isOver(false);
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) files.take(file);
  });
  return root;
}

function createPlayer({ ui, t }: Context, files: ViewFiles) {
  const video = ui.el('video', 'video');
  video.muted = true;
  video.playsInline = true;
  video.preload = 'auto';
  const unplayable = ui.el('div', 'hint gone');
  const position = ui.el('input', 'range');
  position.type = 'range';
  position.min = '0';
  position.max = '1000';
  position.value = '0';
  ui.name(position, t.clip.position);
  const marks = ui.el('div', 'marks-fill');
  const time = ui.el('span', 'time');
  const range = ui.el('span', 'time range-text');
  let fileId: string | null = null;
  let span: { startSeconds: number; endSeconds: number } | null = null;

  const length = (): number => (Number.isFinite(video.duration) ? video.duration : 0);
  const play = ui.button(t.clip.play, 'small', () => {
    if (video.paused) void video.play();
    else video.pause();
  });
  const set = (startSeconds: number, endSeconds: number): void => {
    if (endSeconds - startSeconds < 0.02) return;
    const isWhole = startSeconds <= 0 && endSeconds >= length();
    files.setRange(isWhole ? null : { startSeconds, endSeconds });
  };
  const setIn = ui.button(t.clip.setIn, 'small', () => set(video.currentTime, span?.endSeconds ?? length()));
  const setOut = ui.button(t.clip.setOut, 'small', () => set(span?.startSeconds ?? 0, video.currentTime));
  const whole = ui.button(t.clip.whole, 'quiet small', () => files.setRange(null));
  const controls = ui.el('div', 'row controls', play, time, ui.el('span', 'grow'), setIn, setOut);
  const rangeRow = ui.el('div', 'row range-row', range, whole);
  const root = ui.el(
    'div',
    'player',
    ui.el('div', 'video-box', video),
    unplayable,
    ui.el('div', 'scrub', ui.el('div', 'marks', marks), position),
    controls,
    rangeRow,
  );

  const showTime = (): void => {
    const total = length();
    const shown = `${t.position(video.currentTime)} / ${t.position(total)}`;
    setText(time, shown);
    ui.describe(position, { valuetext: shown });
    if (total > 0) position.value = String(Math.round((video.currentTime / total) * 1000));
  };
  ui.on(video, 'timeupdate', () => {
    if (span !== null && !video.paused && video.currentTime >= span.endSeconds) {
      video.currentTime = span.startSeconds;
    }
    showTime();
  });
  ui.on(video, 'loadedmetadata', () => {
    showTime();
    showMarks();
  });
  ui.on(video, 'play', () => setText(play, t.clip.pause));
  ui.on(video, 'pause', () => setText(play, t.clip.play));
  ui.on(video, 'ended', () => {
    video.currentTime = span?.startSeconds ?? 0;
  });
  ui.on(video, 'error', () => setPlayable(false));
  ui.on(position, 'input', () => {
    video.currentTime = (Number(position.value) / 1000) * length();
  });

  function setPlayable(isPlayable: boolean): void {
    show(unplayable, !isPlayable);
    for (const part of [video, controls, position]) show(part, isPlayable);
  }
  function showMarks(): void {
    const total = length();
    const from = span === null || total === 0 ? 0 : span.startSeconds / total;
    const to = span === null || total === 0 ? 1 : span.endSeconds / total;
    marks.style.marginLeft = `${from * 100}%`;
    marks.style.width = `${(to - from) * 100}%`;
    show(rangeRow, span !== null);
    if (span !== null) {
      setText(range, t.clip.range(t.position(span.startSeconds), t.position(span.endSeconds)));
    }
  }

  return {
    root,
    update(snapshot: FileSnapshot | null): void {
      const next = snapshot?.fileId ?? null;
      if (next !== fileId) {
        fileId = next;
        const url = next === null ? null : files.urlOf(next);
        setText(unplayable, url === null ? t.clip.onServer : t.clip.unplayable);
        setPlayable(url !== null);
        video.pause();
        if (url === null) video.removeAttribute('src');
        else video.src = url;
      }
      const { startSeconds = null, endSeconds = null } = snapshot ?? {};
      span = startSeconds === null || endSeconds === null ? null : { startSeconds, endSeconds };
      showMarks();
    },
  };
}
