// Edits clips as the product does, in an engine process that stays, and remembers what was edited: measures share edits.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { EditReport } from '../../protocol/edit-report.ts';
import { defaultSettings, type EditSettings } from '../../protocol/edit-settings.ts';
import type { Sample } from '../../companion-server/src/demo/samples.ts';
import type { EditJob } from '../../companion-server/src/engine/run/edit-job.ts';
import { createEngine, type Engine } from '../../companion-server/src/engine/worker/supervisor.ts';
import { codecExtension } from '../../protocol/codecs.ts';
import { sha256OfFile } from '../../companion-server/src/files/sha256.ts';

const entry = new URL('../../companion-server/src/engine/worker/process.ts', import.meta.url);

export interface EditedClip {
  readonly file: string;
  readonly report: EditReport;
  /** From the request to the finished file, of an engine that may have to start first. */
  readonly seconds: number;
  /** One-minute load average of the machine when the edit began. */
  readonly load: number;
}

export interface EditorOptions {
  readonly modelDir: string;
  /** Where copies of weights are kept. */
  readonly cacheDir: string;
  /** Whether edits that `edit` makes use the inversions of earlier ones. Default: no. */
  readonly sharesInversions?: boolean;
  readonly log: (line: string) => void;
}

/** What no user can set, or sets by a name that a server knows. */
export type Measured = Pick<EditJob, 'approximations' | 'inversion' | 'loras'>;

/** What is changed of the default settings. */
export type Change = Partial<EditSettings> & Pick<EditSettings, 'prompt'>;

export class Editor {
  private readonly engine: Engine = createEngine({ entry });
  private readonly options: EditorOptions;
  private readonly folder: string;
  private readonly known = new Map<string, Promise<EditedClip>>();
  private edits = 0;

  private constructor(options: EditorOptions, folder: string) {
    this.options = options;
    this.folder = folder;
  }

  static async open(options: EditorOptions): Promise<Editor> {
    return new Editor(options, await mkdtemp(path.join(os.tmpdir(), 'tokenflow-gates-')));
  }

  /** A new folder for inversions; it goes when the editor is closed. */
  newInversionsDir(): Promise<string> {
    return mkdtemp(path.join(this.folder, 'inversions-'));
  }

  /**
   * Edits the first `frames` frames, or all, with the default settings but for `change`; the source prompt is the
   * sample's caption.
   */
  edit(sample: Sample, frames: number | null, change: Change, measured: Measured = {}): Promise<EditedClip> {
    const settings = settingsFor(sample, frames, change);
    const key = JSON.stringify([sample.name, settings, measured]);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const inversionsDir = this.options.sharesInversions === true ? path.join(this.folder, 'inversions') : null;
    const edited = this.editAnew(sample.clipPath, settings, inversionsDir, measured);
    this.known.set(key, edited);
    return edited;
  }

  /** Edits whatever was edited before. Inversions are looked up and kept in `inversionsDir`; null for neither. */
  async editAnew(
    clipPath: string,
    settings: EditSettings,
    inversionsDir: string | null = null,
    measured: Measured = {},
  ): Promise<EditedClip> {
    const index = this.edits++;
    const { modelDir, cacheDir, log } = this.options;
    const file = path.join(this.folder, `edit-${index}${codecExtension(settings.codec)}`);
    const workDir = path.join(this.folder, `work-${index}`);
    const clipSha256 = await sha256OfFile(clipPath);
    const [load = NaN] = os.loadavg();
    const start = performance.now();
    const report = await this.engine.edit(
      {
        inputPath: clipPath,
        clipSha256,
        outputPath: file,
        modelDir,
        device: 'cpu',
        cacheDir,
        inversionsDir,
        workDir,
        settings,
        ...measured,
      },
      { onProgress: () => undefined },
    );
    const seconds = (performance.now() - start) / 1000;
    await rm(workDir, { recursive: true, force: true });
    log(
      `edited ${path.basename(clipPath)} -> ${settings.prompt} (${describeEdit(settings)}, ${report.frames} frames) in ${seconds.toFixed(0)} s`,
    );
    return { file, report, seconds, load };
  }

  /** Ends the engine and removes the edits. */
  async close(): Promise<void> {
    await this.engine.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function settingsFor(
  { caption, fps }: Pick<Sample, 'caption' | 'fps'>,
  frames: number | null,
  change: Change,
): EditSettings {
  return {
    ...defaultSettings(change.technique),
    sourcePrompt: caption,
    endSeconds: frames === null ? null : frames / fps,
    ...change,
  };
}

function describeEdit({ technique, pipeline, propagation, preview }: EditSettings): string {
  return [technique, pipeline, propagation, ...(preview ? ['preview'] : [])].join(', ');
}
