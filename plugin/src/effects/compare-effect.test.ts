import { describe, expect, test } from 'vitest';
import { lastJob, openEffectsScene, type EffectsScene, type EffectsSceneOptions } from './testing/effects-scene.ts';

/** An edit of 50 frames is there, and the comparison is open at it. */
async function comparing(options: EffectsSceneOptions = {}): Promise<EffectsScene> {
  const scene = await openEffectsScene(options);
  await scene.act({ type: 'apply-pressed' });
  await scene.runUntil('queued');
  scene.server.changeJob(lastJob(scene), 'done');
  await scene.runUntil('done');
  // It opens by itself.
  await scene.act();
  return scene;
}

const framesAsked = ({ server }: EffectsScene, side: string): readonly number[] =>
  server.heard.flatMap((one) =>
    one.type === 'frame-get' && one.side === side && one.maxSide === 960 ? [one.frameIndex] : [],
  );
/** Counts the frames that play shows from now on. */
function framesPlayed({ store }: EffectsScene): () => number {
  let frames = 0;
  store.subscribe(({ type }) => {
    if (type === 'played-to') frames += 1;
  });
  return () => frames;
}
const frameShown = ({ store }: EffectsScene): number => store.state.compare?.frameIndex ?? -1;

describe('the comparison', () => {
  test('fetches what is shown first, then what follows, of both sides', async () => {
    const scene = await comparing();
    expect(scene.store.state.compare).toMatchObject({ subject: { frames: 50, firstFrame: 0 } });
    expect(framesAsked(scene, 'edit')).toEqual([0, 1, 2, 3, 4]);
    expect(framesAsked(scene, 'original')).toEqual([0, 1, 2, 3, 4]);
    await scene.act({ type: 'frame-chosen', frameIndex: 30 });
    expect(framesAsked(scene, 'edit').slice(5)).toEqual([30, 31, 32, 33, 34]);
  });

  test.each(['difference', 'flicker'] as const)(
    'has the map of %s made by the server, and asks for nothing else',
    async (mode) => {
      const scene = await comparing();
      const before = framesAsked(scene, 'edit').length;
      await scene.act({ type: 'compare-mode-chosen', mode }, { type: 'frame-chosen', frameIndex: 20 });
      expect(framesAsked(scene, mode)).toContain(20);
      expect(framesAsked(scene, 'edit')).toHaveLength(before);
    },
  );

  test('plays pictures at the speed of the clip where no video can be played, many in one request', async () => {
    const scene = await comparing();
    const seconds = framesPlayed(scene);
    await scene.act({ type: 'play-toggled' });
    await scene.clock.advance(1_000);
    // The clip has 25 frames per second.
    expect(seconds()).toBeGreaterThanOrEqual(20);
    expect(seconds()).toBeLessThanOrEqual(26);
    const asked = scene.server.heard.filter(({ type }) => type === 'frames-get');
    expect(asked.length).toBeLessThanOrEqual(8);
  });

  test('plays no faster than its pictures come, and stops when it is told to', async () => {
    const scene = await comparing();
    scene.server.isAwake = false;
    await scene.act({ type: 'play-toggled' });
    await scene.clock.advance(1_000);
    const stuck = frameShown(scene);
    expect(stuck).toBeLessThanOrEqual(5);
    await scene.clock.advance(1_000);
    expect(frameShown(scene)).toBe(stuck);
    await scene.act({ type: 'play-toggled' });
    expect(scene.store.state.compare?.isPlaying).toBe(false);
  });

  test('begins anew at the end while it loops, and stops there when it does not', async () => {
    const scene = await comparing();
    await scene.act({ type: 'frame-chosen', frameIndex: 45 }, { type: 'play-toggled' });
    await scene.clock.advance(1_000);
    expect(scene.store.state.compare).toMatchObject({ isPlaying: true, isLooping: true });
    expect(frameShown(scene)).toBeLessThan(45);
    await scene.act({ type: 'loop-toggled' }, { type: 'frame-chosen', frameIndex: 45 }, { type: 'play-toggled' });
    await scene.clock.advance(1_000);
    expect(scene.store.state.compare).toMatchObject({ isPlaying: false, frameIndex: 49 });
  });

  test('plays videos where they can be played, and asks for those of the mode only', async () => {
    const scene = await comparing({ abilities: ['video'] });
    const { compare } = scene.store.state;
    const url = `http://127.0.0.1:47860/playback/${lastJob(scene)}`;
    expect(compare?.videos).toEqual({
      edit: { name: 'ready', url: `${url}/edit` },
      original: { name: 'ready', url: `${url}/original` },
    });
    await scene.act({ type: 'play-toggled' });
    await scene.clock.advance(1_000);
    expect(scene.asked).not.toContain('frames-get');
    await scene.act({ type: 'compare-mode-chosen', mode: 'difference' });
    expect(scene.store.state.compare?.videos.difference).toMatchObject({ name: 'ready' });
  });

  test('asks for a new link to a video that stopped playing, and plays pictures when that does not help', async () => {
    const scene = await comparing({ abilities: ['video'] });
    const asked = (): number => scene.asked.filter((type) => type === 'playback-get').length;
    await scene.act({ type: 'play-toggled' }, { type: 'video-failed', side: 'edit' });
    expect(asked()).toBe(3);
    expect(scene.store.state.compare?.videos.edit).toMatchObject({ name: 'ready' });
    const seconds = framesPlayed(scene);
    await scene.act({ type: 'video-failed', side: 'edit' });
    await scene.clock.advance(1_000);
    expect(scene.store.state.compare?.videos.edit).toEqual({ name: 'refused' });
    expect(seconds()).toBeGreaterThan(12);
  });

  test('keeps no more pictures than memory should hold, and gives all up for another comparison', async () => {
    const scene = await comparing();
    for (let frameIndex = 0; frameIndex < 50; frameIndex += 5) {
      for (const mode of ['wipe', 'difference', 'flicker'] as const) {
        await scene.act({ type: 'compare-mode-chosen', mode }, { type: 'frame-chosen', frameIndex });
      }
    }
    expect(scene.openPictures.size).toBeLessThanOrEqual(240);
    // The small picture of the version stays.
    const small = Object.values(scene.store.state.thumbnails);
    const earlier = [...scene.openPictures].filter((url) => !small.includes(url));
    await scene.act({ type: 'compare-opened', editId: 'e1', version: 1 });
    expect(earlier.filter((url) => scene.openPictures.has(url))).toEqual([]);
  });

  test('tells of a frame that cannot be had and stays usable', async () => {
    const scene = await comparing();
    scene.server.refuse('frame-get', 'clip-missing');
    await scene.act({ type: 'frame-chosen', frameIndex: 40 });
    expect(scene.store.state.compare?.problem).toMatchObject({ code: 'clip-missing' });
    await scene.act({ type: 'frame-chosen', frameIndex: 10 });
    expect(scene.store.state.compare?.pictures['edit-10']).toMatchObject({ name: 'ready' });
  });

  test('of a job that the server has forgotten says so', async () => {
    const scene = await comparing();
    scene.server.jobs.clear();
    await scene.act({ type: 'compare-opened', editId: 'e1', version: 1 });
    expect(scene.store.state.compare?.problem).toMatchObject({ code: 'job-missing' });
  });
});
