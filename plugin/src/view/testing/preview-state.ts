// A preview that has been made, for the gallery.

import { pictureKey } from '../../state/compare.ts';
import { toSettings } from '../../state/form.ts';
import type { PanelState } from '../../state/panel-state.ts';
import type { Task } from '../../state/task.ts';
import { drawHarbour, summer, winter } from './drawn-frames.ts';

/** Of a clip of 50 frames. */
const frameIndices = [3, 12, 19, 27, 36, 44];

/** `state` with the preview that its form asks for, of the task `task`. */
export function withPreview(state: PanelState, task: Task): PanelState {
  const made: Task = {
    ...task,
    settings: { ...toSettings(state.form, null), preview: true },
    model: 'sd15',
    report: {
      device: 'cuda',
      frames: frameIndices.length,
      frameIndices,
      reconstructionPsnr: null,
      frameRate: { numerator: 25, denominator: 1 },
      outputSize: { width: 1920, height: 1080 },
      workingSize: { width: 512, height: 288 },
      chosen: { guideBy: 'negative', guidance: 7.5, steps: 50, inversionSteps: 50 },
      unetEvaluations: { inversion: 300, sampling: 600 },
      stageSeconds: {},
      peakMemoryBytes: 0,
      notices: [],
    },
  };
  const pictures = frameIndices.flatMap((_, index) => [
    [pictureKey('edit', index), drawHarbour(index, winter)] as const,
    [pictureKey('original', index), drawHarbour(index, summer)] as const,
  ]);
  return {
    ...state,
    tasks: [made],
    previewStrip: { key: task.key, pictures: Object.fromEntries(pictures) },
  };
}
