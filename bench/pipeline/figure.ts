// A part of the pipeline bench: figures that are measured together and can be asked for by themselves.

import type { Sample } from '../../companion-server/src/demo/samples.ts';
import type { Editor } from '../demo-world/editor.ts';
import type { Judge } from '../demo-world/judge.ts';
import type { BenchRow } from '../table.ts';
import type { KeptReferences } from './kept-references.ts';

export interface PipelineContext {
  readonly modelDir: string;
  readonly editor: Editor;
  readonly judge: Judge;
  /** The sample clips to measure on. */
  readonly samples: readonly Sample[];
  /** Made when first asked for, which costs a short edit. */
  readonly references: () => Promise<KeptReferences>;
  /** How often contestants take turns. */
  readonly rounds: number;
  readonly log: (line: string) => void;
}

export interface Figure {
  readonly name: string;
  measure(context: PipelineContext): Promise<readonly BenchRow[]>;
}
