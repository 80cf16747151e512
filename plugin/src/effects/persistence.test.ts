import { describe, expect, test } from 'vitest';
import { fileClip, openEffectsScene, selectionOf, timelineClip } from './testing/effects-scene.ts';

const preset = (name: string) =>
  JSON.stringify({
    format: 'tokenflow-presets',
    layout: 2,
    presets: [
      {
        name,
        prompt: null,
        negativePrompt: null,
        strength: 0.4,
        technique: 'pnp',
        steps: null,
        guidance: null,
        keyframeInterval: 8,
      },
    ],
  });

describe('what outlives the panel', () => {
  test('is the way a person works, own presets, and the words of each project', async () => {
    const scene = await openEffectsScene();
    await scene.act(
      { type: 'form-changed', change: { prompt: 'a fox', strength: 0.8 } },
      { type: 'preset-saved', id: 'own-1', name: 'Foxes' },
      { type: 'apply-pressed' },
    );
    await scene.clock.advance(2_000);
    const texts = new Map(scene.host.texts);
    const again = await openEffectsScene({ texts: new Map(texts) });
    expect(again.store.state.form).toMatchObject({ strength: 0.8 });
    expect(again.store.state.presets.at(-1)).toMatchObject({ name: 'Foxes', isBuiltIn: false });
    expect(again.store.state.history.map(({ prompt }) => prompt)).toEqual(['a fox']);

    const place = { project: { id: 'other', name: 'O' }, sequence: { id: 's', name: 'S' } };
    const selection = { ...selectionOf(timelineClip), ...place };
    expect((await openEffectsScene({ texts, selection })).store.state.history).toEqual([]);
  });

  test('is found where an earlier version has kept how fast models are', async () => {
    const throughput = { secondsPerEvaluation: 0.5, evaluationsPerFrameStep: 3, steps: 12 };
    const scene = await openEffectsScene({ texts: new Map([['paces', JSON.stringify({ demo: throughput })]]) });
    expect(scene.store.state.throughputs).toEqual({ demo: throughput });
  });

  test('is a task as soon as it is begun, before any pause', async () => {
    const scene = await openEffectsScene();
    await scene.act({ type: 'apply-pressed' });
    expect(scene.host.texts.get('tasks')).toContain(scene.task.key);
  });

  test('is written a moment after the last change, and when the panel is closed', async () => {
    const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
    await scene.act({ type: 'form-changed', change: { strength: 0.9 } });
    expect(scene.host.texts.get('form') ?? '').not.toContain('0.9');
    scene.close();
    await scene.clock.settle();
    expect(scene.host.texts.get('form')).toContain('0.9');
  });

  test('is read as far as it can be: what is damaged is left out, and the log says so', async () => {
    const texts = new Map([
      ['tasks', '[{}]'],
      ['form', '{'],
      ['presets', preset('Mine')],
    ]);
    const scene = await openEffectsScene({ texts });
    expect(scene.store.state.presets.at(-1)).toMatchObject({ name: 'Mine' });
    expect(scene.host.log.filter((line) => line.startsWith('Kept state'))).toHaveLength(2);
  });
});

describe('presets', () => {
  test('go into a file and come from one', async () => {
    const scene = await openEffectsScene();
    scene.host.pick = { name: 'p.json', text: preset('Theirs') };
    await scene.act({ type: 'presets-import-pressed' }, { type: 'presets-export-pressed' });
    expect(scene.store.state.presets.at(-1)).toMatchObject({ name: 'Theirs' });
    await scene.act({ type: 'presets-export-pressed' });
    expect(scene.host.log.at(-1)).toContain('"name": "Theirs"');
    expect(scene.store.state.toasts.map(({ text }) => text)).toContain('presets-imported');
  });

  test('of a file that is none are refused with the place of the fault', async () => {
    const scene = await openEffectsScene();
    scene.host.pick = { name: 'p.json', text: '{"format": "x"}' };
    await scene.act({ type: 'presets-import-pressed' });
    expect(scene.store.state.toasts.at(-1)).toMatchObject({ text: 'presets-unreadable' });
    expect(scene.store.state.presets.every(({ isBuiltIn }) => isBuiltIn)).toBe(true);
  });
});
