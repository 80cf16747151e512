// Edits in the reference pipeline cost minutes each and come out the same every time, so they are made once and kept in
// the system's temporary folder. That the engine of today would still make them is tried with a short reference edit,
// the probe: what it shows must be what it showed when the kept edit was made. Wall times are never taken from here.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openSample, type Sample } from '../../companion-server/src/demo/samples.ts';
import { identifyModel } from '../../companion-server/src/engine/model/model-identity.ts';
import { openCheckpoint } from '../../companion-server/src/families/open-checkpoint.ts';
import type { EditReport } from '../../protocol/edit-report.ts';
import { codecExtension } from '../../protocol/codecs.ts';
import { referencePipeline, type EditSettings } from '../../protocol/edit-settings.ts';
import { settingsFor, type Editor } from '../demo-world/editor.ts';
import { sha256OfFile } from '../../companion-server/src/files/sha256.ts';
import { readFrames } from '../demo-world/pictures.ts';
import { benchFolder } from '../folder.ts';

/** The probe: all that is special about the reference pipeline, at a twentieth of its steps. */
const probe = {
  sample: 'ball-grass',
  frames: 4,
  change: { ...referencePipeline, steps: 5, inversionSteps: 20, keyframeInterval: 2 },
} as const;
/** Largest mean difference, of 255, between probes that count as one: a sum rounded otherwise shows now and then. */
const probeTolerance = 0.1;

export interface ReferenceEdit {
  readonly file: string;
  /** Its inversion counts 0 evaluations when an edit of the same clip had inverted it before. */
  readonly report: EditReport;
  readonly isKept: boolean;
}

export class KeptReferences {
  private readonly editor: Editor;
  private readonly folder: string;
  private readonly model: string;
  private readonly probe: Uint8Array;
  private readonly inversionsDir: string;

  private constructor(editor: Editor, folder: string, model: string, probe: Uint8Array, inversionsDir: string) {
    this.editor = editor;
    this.folder = folder;
    this.model = model;
    this.probe = probe;
    this.inversionsDir = inversionsDir;
  }

  static async open(editor: Editor, modelDir: string): Promise<KeptReferences> {
    const sample = await openSample(probe.sample);
    const prompt = sample.targets[0]?.prompt ?? sample.caption;
    const settings = settingsFor(sample, probe.frames, { ...probe.change, prompt });
    const { file } = await editor.editAnew(sample.clipPath, settings);
    const frames = await readFrames(file);
    return new KeptReferences(
      editor,
      path.join(benchFolder(), 'references'),
      await identifyModel(await openCheckpoint(modelDir)),
      Buffer.concat(frames.map(({ rgb }) => rgb)),
      await editor.newInversionsDir(),
    );
  }

  /** The edit that is kept, or null when none is. */
  async find(sample: Sample, frames: number, prompt: string): Promise<ReferenceEdit | null> {
    const settings = settingsFor(sample, frames, { ...referencePipeline, prompt });
    const place = await this.placeOf(sample, settings);
    if (!existsSync(place)) return null;
    const then = await readFile(path.join(place, 'probe.rgb'));
    if (meanDifference(this.probe, then) > probeTolerance) return null;
    const report = JSON.parse(await readFile(path.join(place, 'report.json'), 'utf8')) as EditReport;
    return { file: path.join(place, resultName(settings)), report, isKept: true };
  }

  /** The edit of the first `frames` frames in the reference pipeline: kept, or made now and kept. */
  async edit(sample: Sample, frames: number, prompt: string): Promise<ReferenceEdit> {
    const kept = await this.find(sample, frames, prompt);
    if (kept !== null) return kept;
    const settings = settingsFor(sample, frames, { ...referencePipeline, prompt });
    const { file, report } = await this.editor.editAnew(sample.clipPath, settings, this.inversionsDir);
    const place = await this.placeOf(sample, settings);
    const part = `${place}.part-${process.pid}`;
    await mkdir(part, { recursive: true });
    await copyFile(file, path.join(part, resultName(settings)));
    await writeFile(path.join(part, 'report.json'), JSON.stringify(report));
    await writeFile(path.join(part, 'probe.rgb'), this.probe);
    await rm(place, { recursive: true, force: true });
    await rename(part, place);
    return { file: path.join(place, resultName(settings)), report, isKept: false };
  }

  /** The folder of an edit, named by all that it depends on but the engine. */
  private async placeOf({ clipPath }: Sample, settings: EditSettings): Promise<string> {
    const { prompt, sourcePrompt, negativePrompt, technique, initialNoise, strength } = settings;
    const { keyframeInterval, seed, size, endSeconds, codec } = settings;
    const identity = [
      ...[await sha256OfFile(clipPath), this.model, referencePipeline],
      ...[prompt, sourcePrompt, negativePrompt, technique, initialNoise, strength],
      ...[keyframeInterval, seed, size, endSeconds, codec],
    ];
    const name = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
    return path.join(this.folder, name);
  }
}

function resultName({ codec }: EditSettings): string {
  return `result${codecExtension(codec)}`;
}

/** Mean absolute difference of two pictures' bytes; infinite when they are not of one size. */
function meanDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}
