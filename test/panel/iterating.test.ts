// What a person does all day: the same clip with another prompt, another strength, another seed. Through the panel's own flow,
// the socket and the real engine with the embedded model.

import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { EditForm } from '../../plugin/src/state/form.ts';
import { startCompanion } from '../companion.ts';
import { createWorkspace } from '../e2e/workspace.ts';
import { cutSample } from '../browser/demo-server.ts';
import { openTestProject, pal, type TestProject } from '../premiere-sim/testing-flow.ts';
import { applyEdit, openPanel, type EditedTask } from './headless-panel.ts';

const modelDir = fileURLToPath(new URL('../../models/demo', import.meta.url));
const frames = 4;
const steps = 4;

let project: TestProject;
beforeEach(async () => {
  vi.stubGlobal('WebSocket', WebSocket);
  project = await openTestProject();
  const { sim, folder } = project;
  const itemId = await sim.addMedia(await cutSample(folder, 'ball-grass', frames, '25'));
  const sequence = sim.addSequence(pal);
  sim.select(sequence, sim.addClip(sequence, { track: 0, itemId, startFrame: 4, frames }));
});
afterEach(async () => {
  await project.close();
  vi.unstubAllGlobals();
});

const evaluations = ({ report }: EditedTask): number => {
  const { inversion, sampling } = report.unetEvaluations;
  return inversion + sampling;
};

const patienceMs = 300_000;

test(
  'a second prompt takes at most 0.35 of the first, and no change but the source is inverted again',
  async () => {
    const { cacheDir, dataDir } = await createWorkspace();
    const server = await startCompanion({ cacheDir, dataDir, modelDir }, 'sharing');
    onTestFinished(() => server.close());
    const panel = openPanel(project, server);
    onTestFinished(() => panel.close());
    const first = await applyEdit(panel, { prompt: 'a blue ball on grass', steps });
    const second = await applyEdit(panel, { prompt: 'a yellow ball on sand' });
    // The panel draws another seed after every edit.
    expect(second.settings.seed).not.toBe(first.settings.seed);
    expect(first.report.unetEvaluations.inversion).toBeGreaterThan(0);
    expect(evaluations(second) / evaluations(first)).toBeLessThanOrEqual(0.35);

    const changes: readonly Partial<EditForm>[] = [
      { guideBy: 'both', guidance: 5, strength: 0.3, negativePrompt: 'snow' },
      { technique: 'sdedit', strength: 0.9 },
    ];
    for (const change of changes) {
      const next = await applyEdit(panel, change);
      expect([change, next.report.unetEvaluations.inversion]).toEqual([change, 0]);
      expect(next.report.chosen.guideBy).toBe('both');
    }
    const other = await applyEdit(panel, { technique: 'pnp', sourcePrompt: 'a red ball on grass' });
    expect(other.report.unetEvaluations.inversion).toBeGreaterThan(0);
    expect(panel.errors).toEqual([]);
  },
  patienceMs,
);
