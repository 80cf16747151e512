import { describe, expect, test } from 'vitest';
import { lastJob, openEffectsScene, type EffectsScene } from './testing/effects-scene.ts';

async function running(): Promise<EffectsScene> {
  const scene = await openEffectsScene();
  await scene.act({ type: 'apply-pressed' });
  await scene.runUntil('queued');
  scene.server.changeJob(lastJob(scene), 'running');
  await scene.runUntil('running');
  return scene;
}

async function finish(scene: EffectsScene): Promise<void> {
  scene.server.changeJob(lastJob(scene), 'done');
  await scene.runUntil('done');
  await scene.act();
}

describe('an edit that is done', () => {
  test('opens in the comparison', async () => {
    const scene = await running();
    await finish(scene);
    expect(scene.store.state).toMatchObject({
      page: 'compare',
      compare: { about: { kind: 'version', editId: 'e1', version: 1 }, subject: { frames: 50 } },
    });
  });

  test('takes nothing away from a user who writes, and says that it is done', async () => {
    const scene = await running();
    scene.isTyping = true;
    await finish(scene);
    expect(scene.store.state).toMatchObject({ page: 'edit', compare: null, toasts: [{ text: 'edit-done' }] });
  });

  test('does not disturb a comparison that plays, nor a question', async () => {
    const scene = await running();
    await scene.act({ type: 'overlay-opened', overlay: { name: 'about' } });
    await finish(scene);
    expect(scene.store.state).toMatchObject({ compare: null, overlay: { name: 'about' } });
  });

  test('has a small picture of its middle, which goes with the version', async () => {
    const scene = await running();
    await finish(scene);
    const jobId = lastJob(scene);
    const url = scene.store.state.thumbnails[jobId] ?? '';
    expect(scene.openPictures.has(url)).toBe(true);
    expect(scene.server.heard).toContainEqual(
      expect.objectContaining({ type: 'frame-get', side: 'edit', id: jobId, frameIndex: 25, maxSide: 192 }),
    );
    await scene.act({ type: 'forget-confirmed', editId: 'e1', version: 1 });
    expect(scene.store.state.thumbnails).toEqual({});
    expect(scene.openPictures.has(url)).toBe(false);
  });
});

describe('an edit that runs', () => {
  test('shows what it looks like so far: the newest picture only, until it ends', async () => {
    const scene = await running();
    const jobId = lastJob(scene);
    scene.server.showPicture(jobId, 3);
    await scene.clock.settle();
    const first = scene.store.state.growing[jobId] ?? '';
    expect(scene.openPictures.has(first)).toBe(true);
    scene.server.showPicture(jobId, 3);
    await scene.clock.settle();
    const second = scene.store.state.growing[jobId] ?? '';
    expect(second).not.toBe(first);
    expect(scene.openPictures.has(first)).toBe(false);
    await finish(scene);
    expect(scene.store.state.growing).toEqual({});
    expect(scene.openPictures.has(second)).toBe(false);
  });

  test('of another client is not shown', async () => {
    const scene = await running();
    scene.server.showPicture('f'.repeat(32), 3);
    await scene.clock.settle();
    expect(scene.store.state.growing).toEqual({});
  });

  test('that begins or goes on says that the engine starts, until something is heard of its work', async () => {
    const scene = await running();
    const jobId = lastJob(scene);
    const progress = {
      stage: 'edit',
      step: 1,
      steps: 2,
      progress: 0.5,
      etaSeconds: 1,
      reconstructionPsnr: null,
    } as const;
    expect(scene.task.state).toMatchObject({ name: 'running', isStarting: true });
    await scene.act({ type: 'job-progress', jobId, progress });
    expect(scene.task.state).toMatchObject({ isStarting: false });
    await scene.act({ type: 'task-pause-pressed', key: scene.task.key });
    scene.server.changeJob(jobId, 'paused');
    await scene.runUntil('paused');
    scene.server.changeJob(jobId, 'running');
    await scene.runUntil('running');
    expect(scene.task.state).toMatchObject({ isStarting: true });
  });
});
