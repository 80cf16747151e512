import { describe, expect, test } from 'vitest';
import { createVideoPlayer, follow, middleOf, type PlayedVideo, type PlayRequest } from './video-player.ts';

type EventName = Parameters<PlayedVideo['addEventListener']>[0];

/** A video of 25 frames per second whose time goes on when the test says so. */
function createVideo(frames = 10) {
  const listeners = new Map<EventName, Set<() => void>>();
  let callbacks: ((now: number, frame: { readonly mediaTime: number }) => void)[] = [];
  let time = 0;
  const log: string[] = [];
  const fire = (event: EventName): void => [...(listeners.get(event) ?? [])].forEach((listener) => listener());
  const video = {
    log,
    playbackRate: 1,
    readyState: 4,
    seeking: false,
    paused: true,
    get currentTime() {
      return time;
    },
    set currentTime(seconds: number) {
      time = seconds;
      log.push(`jump ${seconds.toFixed(2)}`);
    },
    play() {
      video.paused = false;
      log.push('play');
      return Promise.resolve();
    },
    pause() {
      video.paused = true;
      log.push('pause');
    },
    addEventListener(event: EventName, listener: () => void) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
    },
    removeEventListener: (event: EventName, listener: () => void) => void listeners.get(event)?.delete(listener),
    requestVideoFrameCallback: (listener: (now: number, frame: { readonly mediaTime: number }) => void) =>
      callbacks.push(listener),
    fire,
    /** Presents a frame. */
    present(frame: number) {
      time = middleOf(frame, 25);
      const due = callbacks;
      callbacks = [];
      // Files round the times of frames.
      due.forEach((callback) => callback(0, { mediaTime: frame / 25 - 1e-6 + 2e-6 * (frame % 2) }));
      if (frame === frames - 1) fire('ended');
    },
  };
  return video;
}

/** Lets promises that are settled go on. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

function playing(change: Partial<PlayRequest> = {}) {
  const [leader, follower] = [createVideo(), createVideo()];
  const told: string[] = [];
  const player = createVideoPlayer();
  const request: PlayRequest = {
    videos: [leader, follower],
    framesPerSecond: 25,
    frames: 10,
    frameIndex: 4,
    isLooping: () => false,
    onStart: () => told.push('start'),
    onFrame: (frame) => told.push(`frame ${frame}`),
    onEnd: () => told.push('end'),
    onRefused: () => told.push('refused'),
    ...change,
  };
  player.play(request);
  return { leader, follower, told, player, request };
}

describe('videos that play together', () => {
  test('begin at the same frame, when both are ready, and tell of each frame that is presented', async () => {
    const { leader, follower, told } = playing();
    await settle();
    expect(leader.log).toEqual(['jump 0.18', 'play']);
    expect(follower.log).toEqual(['jump 0.18', 'play']);
    leader.present(5);
    leader.present(6);
    expect(told).toEqual(['start', 'frame 5', 'frame 6']);
  });

  test('wait for the one that is not ready', async () => {
    const leader = createVideo();
    const late = { ...createVideo(), seeking: true };
    createVideoPlayer().play({ ...playing().request, videos: [leader, late] });
    await settle();
    expect(leader.log).not.toContain('play');
  });

  test('stop at the end, or begin anew from the first frame', async () => {
    const once = playing();
    await settle();
    once.leader.present(9);
    await settle();
    expect(once.told.slice(-2)).toEqual(['frame 9', 'end']);
    expect(once.follower.paused).toBe(true);
    const again = playing({ isLooping: () => true });
    await settle();
    again.leader.present(9);
    await settle();
    expect(again.leader.log.slice(-2)).toEqual(['jump 0.02', 'play']);
    expect(again.told).not.toContain('end');
  });

  test('tell nothing any more after a pause', async () => {
    const { leader, told, player } = playing();
    await settle();
    player.pause();
    leader.present(5);
    expect(told).toEqual(['start']);
    expect(leader.paused).toBe(true);
  });

  test('that cannot be played are told so', async () => {
    const broken = { ...createVideo(), readyState: 0 };
    const { told, request } = playing();
    const player = createVideoPlayer();
    player.play({ ...request, videos: [broken] });
    broken.fire('error');
    await settle();
    expect(told).toContain('refused');
  });
});

describe('a video that follows', () => {
  const follower = (seconds: number) => {
    const video = createVideo();
    video.currentTime = seconds;
    video.log.length = 0;
    return video;
  };
  const leader = createVideo();
  leader.currentTime = 1;

  test('is left alone within a quarter of a frame', () => {
    const video = follower(1.009);
    follow(video, leader, 25);
    expect(video.playbackRate).toBe(1);
  });

  test('plays a little faster when it is behind, and slower when it is ahead', () => {
    const [behind, ahead] = [follower(0.96), follower(1.02)];
    follow(behind, leader, 25);
    follow(ahead, leader, 25);
    expect(behind.playbackRate).toBeCloseTo(1.1);
    expect(ahead.playbackRate).toBeCloseTo(0.95);
    expect([...behind.log, ...ahead.log]).toEqual([]);
  });

  test('jumps where it is far away', () => {
    const video = follower(0.5);
    follow(video, leader, 25);
    expect(video.log).toEqual(['jump 1.00']);
  });
});
