// One edit in an engine process of its own, so that its memory and time are those of nothing else.

import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { EditReport } from '../protocol/edit-report.ts';
import { defaultSettings, type EditSettings } from '../protocol/edit-settings.ts';
import { writeSampleClip, defaultSample } from '../companion-server/src/demo/sample-clip.ts';
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

/** Edits `clip` on the CPU and throws the result away, once `look` has seen its file. */
export async function runEdit(
  clip: string,
  settings: Partial<EditSettings>,
  look: (file: string) => Promise<void> = () => Promise.resolve(),
): Promise<EditReport & { readonly seconds: number }> {
  const workDir = path.join(benchFolder(), `work-${process.pid}`);
  const outputPath = path.join(benchFolder(), `out-${process.pid}.mov`);
  const engine = createEngine({ entry });
  try {
    const report = await engine.edit(
      {
        inputPath: clip,
        outputPath,
        modelDir: benchModel(),
        device: 'cpu',
        cacheDir: path.join(benchFolder(), 'cache'),
        workDir,
        settings: { ...defaultSettings(), prompt: 'a blue ball on snow', ...settings },
      },
      { onProgress: () => undefined },
    );
    await look(outputPath);
    const seconds = Object.values(report.stageSeconds).reduce((sum, value) => sum + value, 0);
    return { ...report, seconds };
  } finally {
    await engine.close();
    await rm(workDir, { recursive: true, force: true });
    await rm(outputPath, { force: true });
  }
}
