// What the actions of `models` work with.

import type { CatalogModel } from '../../models/catalog-file.ts';
import type { Machine } from '../../models/library/found.ts';
import type { CommandContext } from '../command.ts';

export interface ModelsRequest {
  readonly context: CommandContext;
  readonly catalog: readonly CatalogModel[];
  readonly modelsDir: string;
  readonly cacheDir: string;
  /** Whose programs' models are found; null for none. */
  readonly machine: Machine | null;
  readonly isJson: boolean;
}

/** One line of output: an object for machines, a sentence for people. */
export function report({ context, isJson }: ModelsRequest, object: object, text: string): void {
  context.stdout.write(isJson ? `${JSON.stringify(object)}\n` : `${text}\n`);
}
