// Whether one sees where a long clip is put together: keyframes attend to each other in windows, and where one window
// ends and the next begins the picture may jump.

import { defaultSample, sampleMotion, sampleSourcePrompt } from '../../companion-server/src/demo/sample-clip.ts';
import { chooseSettings, readEditDefaults } from '../../companion-server/src/engine/plan/edit-defaults.ts';
import { planEdit } from '../../companion-server/src/engine/plan/edit-plan.ts';
import { readModelOutline } from '../../companion-server/src/engine/model/model.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { meanValue } from '../../companion-server/src/metrics/mean.ts';
import { successive } from '../../companion-server/src/metrics/temporal.ts';
import { warpError } from '../../companion-server/src/metrics/warp-error.ts';
import { groupKeyframes } from '../../companion-server/src/tokenflow/keyframes.ts';
import { frameRange } from '../../companion-server/src/tokenflow/latents.ts';
import { defaultSettings, type EditSettings } from '../../protocol/edit-settings.ts';
import { benchClip } from '../engine-run.ts';
import { atMost, mean, ratio, reported } from '../rows.ts';
import type { Figure } from './figure.ts';

const frames = 1_000;
/** Pixels: windows hold as many keyframes as at 128, and an edit takes minutes instead of a quarter of an hour. */
const edge = 64;
const limit = 1.1;

export const seam: Figure = {
  name: 'seam',
  async measure({ editor, modelDir, log }) {
    const clip = await benchClip(frames, edge);
    const settings = {
      ...defaultSettings('pnp'),
      sourcePrompt: sampleSourcePrompt,
      prompt: 'a blue ball on snow',
      size: { width: edge, height: edge },
    };
    const borders = await windowBorders(modelDir, clip, settings);
    for (const here of borders) log(`windows of keyframes begin at the frames ${here.join(', ')}`);
    const { file } = await editor.editAnew(clip, settings);
    const changes = await changesAlongFlow(file);
    const ofSource = await changesAlongFlow(clip);
    const interval = settings.keyframeInterval;
    const all = borders.flat();
    const near = (list: readonly number[]) =>
      all.flatMap((border) => list.slice(Math.max(0, border - interval), border + interval));
    const across = (list: readonly number[], at: readonly number[] = all) =>
      at.map((border) => list[border - 1] ?? NaN);
    const worst = Math.max(...borders.map((here) => mean(across(changes, here))));
    const runs = changes.filter((_, pair) => (pair + 1) % interval === 0);
    const average = mean(changes);
    const averageOfSource = mean(ofSource);
    log(
      `average change along the flow: ${average.toFixed(5)}, of the source ${averageOfSource.toFixed(5)}; source across the borders ${ratio(mean(across(ofSource)) / averageOfSource)}`,
    );
    const on = `the borders of windows of ${borders.length} steps, ${frames} frames`;
    return [
      atMost(`seam : average change along the flow, across ${on}`, mean(across(changes)) / average, limit, ratio),
      atMost(`seam, within ${interval} frames of a border`, mean(near(changes)) / average, limit, ratio),
      reported('seam, across the borders of the step where it is largest', ratio(worst / average)),
      reported(`seam, where a keyframe's run ends`, ratio(mean(runs) / average)),
    ];
  },
};

/** Per step the first frame of every window of keyframes but the first, as the engine cuts the clip. */
async function windowBorders(
  modelDir: string,
  clipPath: string,
  settings: EditSettings,
): Promise<readonly (readonly number[])[]> {
  const model = await readModelOutline(modelDir);
  const chosen = chooseSettings(settings, await readEditDefaults(modelDir, model.defaults));
  const { keyframeCount, extendedLimit } = planEdit(await probeClip(clipPath), model, chosen);
  return Array.from({ length: chosen.steps }, (_, step) => {
    const windows = groupKeyframes(frameRange(0, keyframeCount), extendedLimit, step);
    return windows.slice(1).map(({ own }) => (own[0] ?? 0) * settings.keyframeInterval);
  });
}

/** Mean absolute change from each frame to the next at the same point of the scene, 0..1. */
async function changesAlongFlow(file: string): Promise<readonly number[]> {
  const options = { ...defaultSample, frames, width: edge, height: edge };
  const changes: number[] = [];
  for await (const [frame, next] of successive(decodeFrames(await probeClip(file)))) {
    const { flow } = sampleMotion(changes.length, options);
    changes.push(meanValue(warpError(frame, next, flow)));
  }
  return changes;
}
