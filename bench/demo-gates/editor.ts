// Edits sample clips as the product does, in an engine process, and remembers what was edited: gates share edits.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { EditReport } from '../../protocol/edit-report.ts';
import { defaultSettings, type EditSettings } from '../../protocol/edit-settings.ts';
import type { Sample } from '../../companion-server/src/demo/samples.ts';
import { createEngine, type Engine } from '../../companion-server/src/engine/supervisor.ts';
import { codecExtensions } from '../../protocol/edit-settings.ts';

const entry = new URL('../../companion-server/src/engine/process.ts', import.meta.url);

export interface EditedClip {
  readonly file: string;
  readonly report: EditReport;
  /** From the request to the finished file, of an engine that may have to start first. */
  readonly seconds: number;
  /** One-minute load average of the machine when the edit began. */
  readonly load: number;
}

export class Editor {
  private readonly engine: Engine;
  private readonly modelDir: string;
  private readonly cacheDir: string;
  private readonly folder: string;
  private readonly log: (line: string) => void;
  private readonly known = new Map<string, Promise<EditedClip>>();

  private constructor(
    modelDir: string,
    cacheDir: string,
    folder: string,
    log: (line: string) => void,
  ) {
    // prettier-ignore
    this.modelDir = modelDir;
    this.cacheDir = cacheDir;
    this.folder = folder;
    this.log = log;
    this.engine = createEngine({ entry });
  }

  static async open(
    modelDir: string,
    cacheDir: string,
    log: (line: string) => void,
  ): Promise<Editor> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-gates-'));
    return new Editor(modelDir, cacheDir, folder, log);
  }

  /**
   * Edits the first `frames` frames, or all, with the default settings but for `change`; the source prompt is the
   * sample's caption.
   */
  edit(
    sample: Sample,
    frames: number | null,
    change: Partial<EditSettings> & Pick<EditSettings, 'prompt'>,
  ): Promise<EditedClip> {
    const settings = {
      ...defaultSettings(change.technique),
      sourcePrompt: sample.caption,
      endSeconds: frames === null ? null : frames / sample.fps,
      ...change,
    };
    const key = JSON.stringify([sample.name, settings]);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const edited = this.run(sample, settings, this.known.size);
    this.known.set(key, edited);
    return edited;
  }

  /** Ends the engine and removes the edits. */
  async close(): Promise<void> {
    await this.engine.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async run(sample: Sample, settings: EditSettings, index: number): Promise<EditedClip> {
    const file = path.join(this.folder, `edit-${index}${codecExtensions[settings.codec]}`);
    const workDir = path.join(this.folder, `work-${index}`);
    const [load = NaN] = os.loadavg();
    const start = performance.now();
    const report = await this.engine.edit(
      {
        inputPath: sample.clipPath,
        outputPath: file,
        modelDir: this.modelDir,
        device: 'cpu',
        cacheDir: this.cacheDir,
        workDir,
        settings,
      },
      { onProgress: () => undefined },
    );
    await rm(workDir, { recursive: true, force: true });
    const seconds = (performance.now() - start) / 1000;
    this.log(`edited ${sample.name} -> ${settings.prompt} (${settings.technique}, ${settings.propagation}, ${report.frames} frames) in ${seconds.toFixed(0)} s`); // prettier-ignore
    return { file, report, seconds, load };
  }
}
