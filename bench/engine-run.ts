// One edit in an engine process of its own, so that its memory and time are those of nothing else.

import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { EditReport } from '../protocol/edit-report.ts';
import { codecExtension } from '../protocol/codecs.ts';
import { defaultSettings, type EditSettings } from '../protocol/edit-settings.ts';
import { writeSampleClip, defaultSample } from '../companion-server/src/demo/sample-clip.ts';
import type { EditJob } from '../companion-server/src/engine/run/edit-job.ts';
import { createEngine } from '../companion-server/src/engine/worker/supervisor.ts';
import { benchFolder } from './folder.ts';

const entry = new URL('../companion-server/src/engine/worker/process.ts', import.meta.url);
const embeddedModel = path.join(import.meta.dirname, '..', 'models', 'demo');

/** The embedded model, or the one that TOKENFLOW_MODEL names. */
export function benchModel(): string {
  return process.env['TOKENFLOW_MODEL'] ?? embeddedModel;
}

/** A rendered clip of `frames` frames of edge x edge pixels, made once. */
export async function benchClip(frames: number, edge: number): Promise<string> {
  const file = path.join(benchFolder(), `clip-${frames}-${edge}.mp4`);
  if (!existsSync(file)) {
    await mkdir(benchFolder(), { recursive: true });
    await writeSampleClip(file, { ...defaultSample, frames, width: edge, height: edge });
  }
  return file;
}

/** What an edit is made with. */
export interface EditFolders {
  readonly modelDir: string;
  /** Of copies of weights, and of what is known of the machine. */
  readonly cacheDir: string;
}

const usualFolders = (): EditFolders => ({ modelDir: benchModel(), cacheDir: path.join(benchFolder(), 'cache') });

/** An edit of `clip` on the CPU. */
export function benchJob(
  clip: string,
  settings: Partial<EditSettings>,
  { modelDir, cacheDir }: EditFolders = usualFolders(),
): EditJob {
  return {
    inputPath: clip,
    outputPath: path.join(benchFolder(), `out-${process.pid}.mov`),
    modelDir,
    device: 'cpu',
    cacheDir,
    workDir: path.join(benchFolder(), `work-${process.pid}`),
    settings: { ...defaultSettings(), prompt: 'a blue ball on snow', ...settings },
  };
}

/**
 * Edits `clip` on the CPU and throws the result away, once `look` has seen its file.
 * @param more of the job
 */
export async function runEdit(
  clip: string,
  settings: Partial<EditSettings>,
  look: (file: string) => Promise<void> = () => Promise.resolve(),
  folders: EditFolders = usualFolders(),
  more: Partial<EditJob> = {},
): Promise<EditReport & { readonly seconds: number }> {
  const usual = benchJob(clip, settings, folders);
  const outputPath = usual.outputPath.replace(/\.mov$/, codecExtension(usual.settings.codec));
  const job = { ...usual, outputPath, ...more };
  const engine = createEngine({ entry });
  try {
    const report = await engine.edit(job, { onProgress: () => undefined });
    await look(job.outputPath);
    const seconds = Object.values(report.stageSeconds).reduce((sum, value) => sum + value, 0);
    return { ...report, seconds };
  } finally {
    await engine.close();
    await rm(job.workDir, { recursive: true, force: true });
    await rm(job.outputPath, { force: true });
  }
}
