// What a gate is: one property that the embedded model must have, measured with the product's own engine.

import type { Sample } from '../../companion-server/src/demo/samples.ts';
import type { Model } from '../../companion-server/src/engine/model/model.ts';
import type { BenchRow } from '../table.ts';
import type { Editor } from '../demo-world/editor.ts';
import type { Judge } from '../demo-world/judge.ts';
import type { Sheets } from './sheets.ts';

export interface GateContext {
  readonly modelDir: string;
  readonly model: Model;
  readonly judge: Judge;
  /** The judge's folder, with its prompts. */
  readonly judgeDir: string;
  /** Scenes that no training has seen. */
  readonly heldOutDir: string;
  readonly editor: Editor;
  /** The sample clips to measure on. */
  readonly samples: readonly Sample[];
  /** A sample that ends within a minute. */
  readonly isQuick: boolean;
  /** Edits take so many frames of a clip from its start, or null for the whole clip. */
  readonly editedFrames: number | null;
  /** Where pictures go, or null when none are wanted. */
  readonly sheets: Sheets | null;
  readonly log: (line: string) => void;
}

export interface Gate {
  readonly name: string;
  /** One sentence: what is measured, on what. */
  readonly title: string;
  /** Whether a quick run takes it. */
  readonly isQuick: boolean;
  /** A row with a target is a gate; a row without is only reported. */
  run(context: GateContext): Promise<readonly BenchRow[]>;
}
