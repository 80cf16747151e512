// The edit whose cost is measured: 40 frames of the demo's clip by Plug-and-Play, as in the official settings.

import { sampleSourcePrompt } from '../../companion-server/src/demo/sample-clip.ts';
import { defaultSettings, referencePipeline, type EditSettings } from '../../protocol/edit-settings.ts';
import type { EditedClip } from '../demo-world/editor.ts';
import { benchClip } from '../engine-run.ts';
import type { PipelineContext } from './figure.ts';

export const longEditFrames = 40;
/** Pixels; the demo model's own. */
const edge = 128;
const prompts = ['a blue ball on snow', 'a yellow ball on sand'] as const;

/** What an edit is asked for, and what it may cost. */
export interface LongEdit {
  readonly pipeline: 'fast' | 'draft' | 'reference';
  readonly prompt?: 'first' | 'second';
  readonly isPreview?: boolean;
  /** Where inversions are found and kept; null for neither. */
  readonly inversionsDir: string | null;
  /** Fewer frames, for warming up. */
  readonly frames?: number;
  /** Another working size, in pixels of a square's edge. */
  readonly workingEdge?: number;
}

export async function runLongEdit({ editor }: PipelineContext, edit: LongEdit): Promise<EditedClip> {
  const { pipeline, prompt = 'first', isPreview: preview = false, workingEdge } = edit;
  const clip = await benchClip(edit.frames ?? longEditFrames, edge);
  const settings: EditSettings = {
    ...defaultSettings('pnp'),
    ...(pipeline === 'reference' ? referencePipeline : { pipeline }),
    sourcePrompt: sampleSourcePrompt,
    prompt: prompts[prompt === 'first' ? 0 : 1],
    size: workingEdge === undefined ? null : { width: workingEdge, height: workingEdge },
    preview,
  };
  return editor.editAnew(clip, settings, edit.inversionsDir);
}
