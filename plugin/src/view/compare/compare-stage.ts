// The stage of a comparison: original and edit, or the map of both, each in a half of its own whose place the mode decides. In
// a half lie the picture of the frame and, in a browser, the video. UXP gets pictures only.

import type { FrameSide } from '../../../../protocol/messages/stream-messages.ts';
import { playsVideos, shownUrl, sidesOf, type CompareState, type Zoom } from '../../state/compare.ts';
import type { PanelState } from '../../state/panel-state.ts';
import type { Context, Piece } from '../context.ts';
import { setClass, setText, show } from '../ui.ts';
import { setPicture } from './compare-picture.ts';
import { startDragging } from './stage-drag.ts';
import { createVideoPlayer, middleOf } from './video-player.ts';

/** `map`: of difference or flicker, whichever the mode is. */
const halves = ['edit', 'original', 'map'] as const;
type HalfName = (typeof halves)[number];
type Half = ReturnType<typeof createHalf>;

export function createStage(context: Context): Piece {
  const { ui, t, dispatch, env } = context;
  const c = t.compare;
  const half = {
    edit: createHalf(context, 'edit', c.edit),
    original: createHalf(context, 'original', c.original),
    map: createHalf(context, 'map', ''),
  };
  const handle = ui.el('button', 'wipe-handle', ui.el('span', 'wipe-grip'));
  handle.type = 'button';
  ui.name(handle, c.divider);
  const flipButton = ui.button('', 'flip-button', () => dispatch({ type: 'compare-flipped' }));
  const frame = ui.el('div', 'frame wipe', ...halves.map((name) => half[name].root), handle, flipButton);
  const note = ui.el('div', 'stage-note');
  const root = ui.el('div', 'stage', frame, note);
  const drag = startDragging(context, frame, handle);
  const player = env.page === null ? null : createVideoPlayer();
  let compare: CompareState | null = null;
  /** The play that the player was told of: mode and videos; null while it plays nothing. */
  let playing: string | null = null;
  /** Whether the videos show the frame that is to be seen. */
  let areVideosCurrent = false;
  let shownFrame = -1;

  const halvesOf = ({ mode }: CompareState): readonly Half[] =>
    sidesOf(mode).map((side) => half[side === 'original' || side === 'edit' ? side : 'map']);
  /** The edit leads. */
  const videosOf = (shown: CompareState): readonly HTMLVideoElement[] =>
    [...halvesOf(shown)].reverse().flatMap(({ video }) => (video === null ? [] : [video]));

  function startPlay(shown: CompareState, key: string): void {
    const { subject } = shown;
    if (player === null || subject === null) return;
    playing = key;
    const videos = videosOf(shown);
    player.play({
      videos,
      framesPerSecond: subject.frameRate.numerator / subject.frameRate.denominator,
      frames: subject.frames,
      frameIndex: shown.frameIndex,
      isLooping: () => compare?.isLooping === true,
      onStart() {
        areVideosCurrent = true;
        setClass(frame, 'moves', true);
        show(note, false);
      },
      onFrame: (frameIndex) => dispatch({ type: 'played-to', frameIndex }),
      onEnd: () => dispatch({ type: 'play-ended' }),
      onRefused: () => dispatch({ type: 'video-failed', side: sidesOf(shown.mode)[0] ?? 'edit' }),
    });
  }

  function stopPlay(): void {
    if (playing === null) return;
    playing = null;
    player?.pause();
  }

  /** A step shows the video's frame at once, until the exact picture has come. */
  async function showFrame({ frameIndex, subject, mode }: CompareState): Promise<void> {
    if (player === null || subject === null || compare === null) return;
    const rate = subject.frameRate.numerator / subject.frameRate.denominator;
    const isShown = await player.show(videosOf(compare), middleOf(frameIndex, rate));
    if (!isShown || compare.mode !== mode || compare.frameIndex !== frameIndex) return;
    areVideosCurrent = true;
    drawFrame(compare);
  }

  function drawFrame(shown: CompareState): boolean {
    const urls = sidesOf(shown.mode).map((side) => shownUrl(shown, side, shown.frameIndex));
    const isHere = urls.every((url) => url !== null);
    const moves = areVideosCurrent && (playing !== null || !isHere);
    setClass(frame, 'moves', moves);
    return isHere || moves;
  }

  return {
    root,
    update(state: PanelState) {
      const before = compare;
      ({ compare } = state);
      if (compare === null) {
        stopPlay();
        return;
      }
      const { mode, frameIndex, subject, zoom, divider } = compare;
      if (subject !== null) setRatio(root, subject.size);
      for (const one of ['wipe', 'side', 'flip'] as const) setClass(frame, one, mode === one);
      setClass(frame, 'is-map', mode === 'difference' || mode === 'flicker');
      setClass(root, 'wide-stage', mode === 'side');
      const visible = halvesOf(compare);
      for (const name of halves) {
        const isBehind = mode === 'flip' && compare.shown !== name;
        show(half[name].root, visible.includes(half[name]) && !isBehind);
        half[name].place(zoom, name === 'original' && mode === 'wipe' ? divider : 1);
      }
      setClass(half.original.root, 'wipe-over', mode === 'wipe');
      show(handle, mode === 'wipe');
      handle.style.left = `${divider * 100}%`;
      show(flipButton, mode === 'flip');
      setText(flipButton, compare.shown === 'edit' ? c.edit : c.original);
      setClass(frame, 'zoomed', zoom.scale > 1);
      drag.update(compare);

      const hasVideos = player !== null && playsVideos(compare, state.host.abilities);
      sidesOf(mode).forEach((side, at) => {
        visible[at]?.setPicture(compare === null ? null : shownUrl(compare, side, frameIndex));
        visible[at]?.setVideo(hasVideos ? urlOf(compare, side) : null, () => dispatch({ type: 'video-failed', side }));
      });
      const videosAreHere = hasVideos && sidesOf(mode).every((side) => urlOf(compare, side) !== null);
      const key = `${mode === 'flip' || mode === 'side' ? 'wipe' : mode} ${visible.map(({ url }) => url()).join(' ')}`;
      const isNew = before?.about !== compare.about || keyOf(before) !== keyOf(compare);
      if (isNew || shownFrame !== frameIndex) areVideosCurrent = areVideosCurrent && playing !== null && !isNew;
      if (compare.isPlaying && videosAreHere) {
        if (playing !== key) startPlay(compare, key);
      } else {
        stopPlay();
        if (videosAreHere && (isNew || shownFrame !== frameIndex)) void showFrame(compare).catch(() => undefined);
      }
      shownFrame = frameIndex;
      const isHere = drawFrame(compare);
      const isPreparing = compare.isPlaying && hasVideos && !(playing !== null && areVideosCurrent);
      show(note, compare.problem === null && (isPreparing || !isHere));
      setText(note, isPreparing ? c.preparing : c.loading);
    },
  };
}

/** What the videos of a mode are of. */
function keyOf(compare: CompareState | null): string {
  return compare === null ? '' : sidesOf(compare.mode).join(' ');
}

function urlOf(compare: CompareState | null, side: FrameSide): string | null {
  const video = compare?.videos[side];
  return video?.name === 'ready' ? video.url : null;
}

/** The height of a stage follows from its width: UXP has no aspect-ratio, but a padding in percent. */
function setRatio(stage: HTMLElement, { width, height }: { width: number; height: number }): void {
  stage.style.setProperty('--ratio', String(width / height));
  stage.style.setProperty('--tall', `${(height / width) * 100}%`);
  stage.style.setProperty('--tall-twice', `${(height / width) * 200}%`);
}

function createHalf({ ui, env }: Context, name: HalfName, label: string) {
  const image = ui.el('img', 'picture');
  image.draggable = false;
  image.alt = label;
  const video = env.page === null ? null : ui.el('video', 'picture video');
  if (video !== null) {
    video.muted = true;
    video.playsInline = true;
    video.preload = 'auto';
  }
  const whole = ui.el('div', 'whole', ...(video === null ? [] : [video]), image);
  const tag = ui.el('span', `tag tag-${name}`, label);
  const root = ui.el('div', `half half-${name}`, whole, ...(label === '' ? [] : [tag]));
  let url: string | null = null;
  let onError: () => void = () => undefined;
  if (video !== null) ui.on(video, 'error', () => onError());
  return {
    root,
    video,
    url: () => url,
    /** `share` is the half's width of the frame's: the picture keeps the frame's width however narrow the half is. */
    place({ scale, left, top }: Zoom, share: number): void {
      const narrow = Math.max(0.001, share);
      root.style.width = share === 1 ? '' : `${narrow * 100}%`;
      whole.style.width = `${(scale * 100) / narrow}%`;
      whole.style.height = `${scale * 100}%`;
      whole.style.left = `${(left * 100) / narrow}%`;
      whole.style.top = `${top * 100}%`;
    },
    setPicture: (next: string | null): void => setPicture(image, next),
    setVideo(next: string | null, failed: () => void): void {
      onError = () => {
        if (url !== null) failed();
      };
      if (video === null || next === null || next === url) return;
      url = next;
      video.setAttribute('src', next);
    },
  };
}
