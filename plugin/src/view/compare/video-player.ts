// Plays videos of the same frames together, in a browser. The first one leads: its clock is the clock of all, and the others
// follow it by small changes of their speed, or by a jump where they are far behind. Frames are told as they are presented.

/** What the player uses of a video element, so that tests can play without a browser. */
export interface PlayedVideo {
  currentTime: number;
  playbackRate: number;
  readonly readyState: number;
  readonly seeking: boolean;
  readonly paused: boolean;
  play(): Promise<void>;
  pause(): void;
  addEventListener(event: 'seeked' | 'canplay' | 'ended' | 'error', listener: () => void): void;
  removeEventListener(event: 'seeked' | 'canplay' | 'ended' | 'error', listener: () => void): void;
  requestVideoFrameCallback?(listener: (now: number, frame: { readonly mediaTime: number }) => void): number;
}

export interface PlayRequest {
  /** The first one leads. */
  readonly videos: readonly PlayedVideo[];
  readonly framesPerSecond: number;
  readonly frames: number;
  readonly frameIndex: number;
  readonly isLooping: () => boolean;
  /** All of them show the first frame and move. */
  onStart(): void;
  readonly onFrame: (frameIndex: number) => void;
  onEnd(): void;
  onRefused(): void;
}

export interface VideoPlayer {
  /** Begins to play. An earlier play ends. */
  play(request: PlayRequest): void;
  pause(): void;
  /** Shows a frame while nothing plays; resolves with false when another one is wanted meanwhile. */
  show(videos: readonly PlayedVideo[], seconds: number): Promise<boolean>;
}

/** HTMLMediaElement.HAVE_FUTURE_DATA: it can go on from here. */
const haveFutureData = 3;
/** Farther than this a video jumps. */
const jumpSeconds = 0.25;
/** A difference is made up for within so many seconds. */
const settleSeconds = 0.4;
const mostRateChange = 0.2;
/** Where a browser does not tell of frames: how often the clock is looked at. */
const lookMs = 15;

/** The middle of a frame, in seconds: at its edge a rounded time may be of the frame before. */
export function middleOf(frameIndex: number, framesPerSecond: number): number {
  return (frameIndex + 0.5) / framesPerSecond;
}

export function createVideoPlayer(): VideoPlayer {
  let playing: { readonly videos: readonly PlayedVideo[]; isOver: boolean } | null = null;
  let wanted = 0;

  function end(): void {
    if (playing === null) return;
    playing.isOver = true;
    for (const video of playing.videos) {
      video.pause();
      video.playbackRate = 1;
    }
    playing = null;
  }

  function play(request: PlayRequest): void {
    end();
    wanted += 1;
    const own = { videos: request.videos, isOver: false };
    playing = own;
    run(request, () => own.isOver).catch(() => {
      if (own.isOver) return;
      end();
      request.onRefused();
    });
  }

  async function run(request: PlayRequest, isOver: () => boolean): Promise<void> {
    const { videos, framesPerSecond, frames, isLooping } = request;
    let frameIndex = request.frameIndex;
    for (let round = 0; ; round += 1) {
      await Promise.all(videos.map((video) => goTo(video, middleOf(frameIndex, framesPerSecond))));
      if (isOver()) return;
      await Promise.all(videos.map((video) => video.play()));
      if (isOver()) return;
      if (round === 0) request.onStart();
      await playThrough(request, isOver);
      if (isOver()) return;
      request.onFrame(frames - 1);
      if (!isLooping()) break;
      frameIndex = 0;
    }
    end();
    request.onEnd();
  }

  return {
    play,
    pause: end,
    async show(videos, seconds) {
      const own = (wanted += 1);
      await Promise.all(videos.map((video) => goTo(video, seconds)));
      return own === wanted && playing === null;
    },
  };
}

/** Resolves at the end of the leading video, or when the play is over. */
function playThrough({ videos, framesPerSecond, frames, onFrame }: PlayRequest, isOver: () => boolean): Promise<void> {
  const [leader, ...followers] = videos;
  if (leader === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      leader.removeEventListener('ended', finish);
      resolve();
    };
    leader.addEventListener('ended', finish);
    const look = (mediaTime: number): void => {
      if (isOver()) {
        finish();
        return;
      }
      // Frames begin at multiples of their duration, rounded in the file.
      onFrame(Math.min(frames - 1, Math.max(0, Math.floor(mediaTime * framesPerSecond + 0.01))));
      for (const follower of followers) follow(follower, leader, framesPerSecond);
      wait();
    };
    const wait = (): void => {
      if (leader.requestVideoFrameCallback === undefined) setTimeout(() => look(leader.currentTime), lookMs);
      else leader.requestVideoFrameCallback((_now, { mediaTime }) => look(mediaTime));
    };
    wait();
  });
}

/** Steers a video to the time of the leading one: within a quarter of a frame it is left alone. */
export function follow(follower: PlayedVideo, leader: PlayedVideo, framesPerSecond: number): void {
  if (follower.seeking || leader.seeking) return;
  const behind = leader.currentTime - follower.currentTime;
  if (Math.abs(behind) > jumpSeconds) {
    follower.currentTime = leader.currentTime;
    follower.playbackRate = leader.playbackRate;
    return;
  }
  const isTogether = Math.abs(behind) < 0.25 / framesPerSecond;
  const change = Math.max(-mostRateChange, Math.min(mostRateChange, behind / settleSeconds));
  const rate = isTogether ? leader.playbackRate : leader.playbackRate * (1 + change);
  if (Math.abs(follower.playbackRate - rate) > 0.005) follower.playbackRate = rate;
}

/** Resolves when the video shows that time and can go on from it. Rejected when it cannot be played. */
function goTo(video: PlayedVideo, seconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const events = ['seeked', 'canplay'] as const;
    const stop = (): void => {
      for (const event of events) video.removeEventListener(event, look);
      video.removeEventListener('error', fail);
    };
    const fail = (): void => {
      stop();
      reject(new Error('The video cannot be played.'));
    };
    const look = (): void => {
      if (video.seeking || video.readyState < haveFutureData) return;
      stop();
      resolve();
    };
    for (const event of events) video.addEventListener(event, look);
    video.addEventListener('error', fail);
    if (Math.abs(video.currentTime - seconds) > 1e-4) video.currentTime = seconds;
    look();
  });
}
