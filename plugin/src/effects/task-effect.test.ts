import { describe, expect, test } from 'vitest';
import { makeModelInfo, practiceVocabulary } from '../../../protocol/testing/models.ts';
import { HostError } from '../host/problems.ts';
import { lastJob, openEffectsScene, result, type EffectsScene } from './testing/effects-scene.ts';

async function applied(): Promise<EffectsScene> {
  const scene = await openEffectsScene();
  await scene.act({ type: 'apply-pressed' });
  await scene.runUntil('queued');
  return scene;
}

describe('a task', () => {
  test('goes from Apply to the timeline', async () => {
    const scene = await applied();
    scene.server.changeJob(lastJob(scene), 'running');
    await scene.runUntil('running');
    scene.server.changeJob(lastJob(scene), 'done');
    await scene.runUntil('done');
    expect(scene.host.log).toEqual(['exported', 'disposed', `wrote ${result.length}`]);
    expect(scene.host.placed).toMatchObject([{ recipe: { jobId: lastJob(scene) } }]);
    expect(scene.store.state.edits).toHaveLength(1);
  });

  test('whose result the host reads otherwise is placed all the same, and the difference is told', async () => {
    const scene = await applied();
    scene.host.misreads = ({ timecodeFrames }) => [`timecode, in frames: written ${timecodeFrames}, read 0.0`];
    scene.server.changeJob(lastJob(scene), 'done');
    await scene.runUntil('done');
    expect(scene.host.placed).toHaveLength(1);
    const problem = { code: 'result-misread', message: expect.stringContaining('written 90000, read 0.0') as string };
    expect(scene.store.state.toasts).toContainEqual(expect.objectContaining({ text: 'failed', problem }));
  });

  test('is placed although the host cannot say how it reads the result', async () => {
    const scene = await applied();
    scene.host.misreads = () => {
      throw new HostError('host-lacks', 'getMedia');
    };
    scene.server.changeJob(lastJob(scene), 'done');
    await scene.runUntil('done');
    expect(scene.host.placed).toHaveLength(1);
    expect(scene.host.log).toContain('The imported result was not checked: getMedia');
    expect(scene.store.state.toasts.map(({ text }) => text)).not.toContain('failed');
  });

  test('ends well though connections are lost while it is sent, edited and fetched', async () => {
    const scene = await openEffectsScene();
    scene.server.cutAll();
    scene.server.cuts.push(100, 150, 120);
    await scene.act({ type: 'apply-pressed' });
    await scene.runUntil('queued');
    scene.server.isUp = false;
    scene.server.cutAll();
    await scene.clock.settle();
    scene.server.changeJob(lastJob(scene), 'done');
    scene.server.cuts.push(90);
    scene.server.isUp = true;
    await scene.runUntil('done');
    expect(scene.server.jobs.size).toBe(1);
    expect(scene.host.placed).toHaveLength(1);
  });

  test('that is canceled while the server works ends as canceled, and places nothing', async () => {
    const scene = await applied();
    await scene.act({ type: 'task-cancel-pressed', key: scene.task.key });
    await scene.runUntil('canceled');
    expect(scene.host.placed).toEqual([]);
  });

  test('that is canceled while the server makes its job leaves no job at work', async () => {
    const scene = await openEffectsScene();
    const { key } = await new Promise<EffectsScene['task']>((resolve) => {
      scene.store.subscribe((event) => {
        if (event.type === 'task-added') resolve(event.task);
        // The clip is there; what follows is the job.
        if (event.type === 'task-sent') {
          scene.store.dispatch({ type: 'task-cancel-pressed', key: event.key });
        }
      });
      scene.store.dispatch({ type: 'apply-pressed' });
    });
    await scene.runUntil('canceled');
    expect(scene.task.key).toBe(key);
    expect([...scene.server.jobs.values()].map(({ state }) => state)).toEqual(['canceled']);
  });

  test('whose place has changed keeps its result and is placed when the person says so', async () => {
    const scene = await applied();
    scene.host.refusal = new HostError('timeline-changed', 'The clip has moved.');
    scene.server.changeJob(lastJob(scene), 'done');
    await scene.runUntil('unplaced');
    expect(scene.task.state).toMatchObject({ problem: { code: 'timeline-changed' } });
    await scene.act({ type: 'task-place-anyway-pressed', key: scene.task.key });
    await scene.runUntil('done');
    expect(scene.host.placed[0]?.evenIfChanged).toBe(true);
  });

  test('is placed although the person says so in the very moment that it could not be', async () => {
    const scene = await applied();
    scene.host.refusal = new HostError('timeline-changed', 'The clip has moved.');
    scene.store.subscribe((event) => {
      if (event.type === 'task-moved' && event.state.name === 'unplaced') {
        scene.store.dispatch({ type: 'task-place-anyway-pressed', key: event.key });
      }
    });
    scene.server.changeJob(lastJob(scene), 'done');
    await scene.runUntil('done');
    expect(scene.host.placed).toHaveLength(1);
  });

  test('that the server refuses fails with its reason, and can be tried again as another job', async () => {
    const scene = await openEffectsScene();
    scene.server.refuse('job-create', 'out-of-memory');
    await scene.act({ type: 'apply-pressed' });
    await scene.runUntil('failed');
    expect(scene.task.state).toMatchObject({ problem: { code: 'out-of-memory' } });
    await scene.act({ type: 'task-retry-pressed', key: scene.task.key });
    await scene.runUntil('queued');
    expect(scene.store.state.tasks).toHaveLength(1);
    expect(scene.server.jobs.size).toBe(1);
    // The clip was there already.
    expect(scene.host.log.filter((line) => line === 'exported')).toHaveLength(1);
  });

  test('whose export found no preset is exported with one that the person picks', async () => {
    const scene = await openEffectsScene();
    scene.host.refuseExport(new HostError('preset-missing', 'None fits.'));
    await scene.act({ type: 'apply-pressed' });
    await scene.runUntil('failed');
    const { key } = scene.task;
    await scene.act({ type: 'task-pick-preset-pressed', key });
    expect(scene.task.state.name).toBe('failed');
    scene.host.pick = { name: 'own.epr', text: '' };
    await scene.act({ type: 'task-pick-preset-pressed', key });
    await scene.runUntil('queued');
  });

  test('whose media file was cut off on its way by the end of the panel goes on from there', async () => {
    const earlier = await openEffectsScene();
    earlier.server.cutAll();
    earlier.server.cuts.push(150);
    earlier.store.subscribe((event) => {
      if (event.type !== 'link-changed' || event.link.name !== 'lost') return;
      if (earlier.server.uploads.size > 0) earlier.server.isUp = false;
    });
    await earlier.act({ type: 'export-mode-chosen', mode: 'source' }, { type: 'apply-pressed' });
    await earlier.clock.runUntil(() => !earlier.server.isUp);
    earlier.close();
    const there = [...earlier.server.uploads.values()][0]?.length ?? 0;
    expect(there).toBeGreaterThan(0);

    const later = await openEffectsScene({ earlier, texts: new Map(earlier.host.texts) });
    await later.runUntil('queued');
    expect(later.server.uploads.size).toBe(1);
    expect(later.server.heard.find((one) => one.type === 'upload-begin')?.uploadId).toMatch(/^0+1$/);
    expect(later.server.repeatedBytes).toBe(0);
    expect(later.host.texts.get('uploads')).toBe('[]');
  });

  test('of an earlier run of the panel finds its job again and brings the result home', async () => {
    const earlier = await applied();
    const { task } = earlier;
    const later = await openEffectsScene({ earlier });
    const tasks = [{ ...task, jobId: null, clipId: null }];
    const kept = { presets: [], tasks, throughputs: {}, form: {} };
    await later.act({ type: 'kept-read', kept });
    later.server.changeJob(lastJob(later), 'done');
    await later.runUntil('done');
    expect(later.host.log).toEqual([`wrote ${result.length}`]);
  });
});

describe('a practice model that does not know the clip', () => {
  const scene = async () => {
    const opened = await openEffectsScene();
    const practice = makeModelInfo({ id: 'practice', vocabulary: practiceVocabulary });
    opened.server.models = { ...opened.server.models, models: [practice, makeModelInfo({ id: 'real' })] };
    opened.server.cutAll();
    await opened.clock.runUntil(() => opened.store.state.models?.models.length === 2);
    await opened.act({ type: 'form-changed', change: { prompt: 'a wolf' } });
    return opened;
  };

  test.each(['apply-pressed', 'preview-pressed'] as const)(
    'makes no edit at %s, and the one that was pressed when the user goes on',
    async (type) => {
      const opened = await scene();
      const { store } = opened;
      await opened.act({ type });
      expect(store.state.tasks).toEqual([]);
      await opened.act({ type: 'practice-accepted' });
      expect(store.state.tasks.map(({ settings }) => settings.preview)).toEqual([type === 'preview-pressed']);
      await opened.act({ type: 'apply-pressed' });
      expect(store.state.tasks).toHaveLength(2);
    },
  );

  test('makes nothing when the user goes on before anything was pressed', async () => {
    const opened = await scene();
    const { store } = opened;
    await opened.act({ type: 'practice-accepted' });
    expect(store.state.tasks).toEqual([]);
  });

  test('gives way to a model for real footage, which edits at once', async () => {
    const opened = await scene();
    const { store } = opened;
    await opened.act({ type: 'form-changed', change: { model: 'real' } }, { type: 'apply-pressed' });
    expect(store.state.tasks.map(({ model }) => model)).toEqual(['real']);
  });
});
