// Whether the files that weights are mapped from are as they were when their headers were read. Another file at the same path
// has other weights at the same bytes, and a network that is loaded from it computes without an error.

import { stat } from 'node:fs/promises';
import { EditError } from '../../errors.ts';
import type { Graph } from '../../onnx/graph.ts';
import { translateReadError } from '../../weights/read-range.ts';

/** Files by their paths, as they were when they were noted first. */
export class MappedFiles {
  private readonly noted = new Map<string, string>();
  /** Those that a graph was loaded from. */
  private readonly mapped = new Set<string>();

  /** Throws EditError 'model-missing' for a file that is not there. */
  async note(files: Iterable<string>): Promise<void> {
    for (const file of new Set(files)) {
      if (!this.noted.has(file)) this.noted.set(file, await factsOf(file));
    }
  }

  /** Loads a graph from its files. Throws as `note` and `requireUnchanged`, and what `load` throws. */
  async load<T extends { release(): Promise<void> }>(graph: Graph, load: () => Promise<T>): Promise<T> {
    const files = filesOf(graph);
    await this.note(files);
    const session = await load();
    for (const file of files) this.mapped.add(file);
    try {
      await this.requireUnchanged();
    } catch (error) {
      await session.release();
      throw error;
    }
    return session;
  }

  /**
   * Throws EditError 'model-damaged' with the first file that a graph was loaded from and that was changed or replaced since it
   * was noted. One that has gone is still mapped as it was.
   */
  async requireUnchanged(): Promise<void> {
    for (const file of this.mapped) {
      const facts = await factsOf(file).catch(missing);
      if (facts === null || facts === this.noted.get(file)) continue;
      throw new EditError('model-damaged', `${file}: was changed or replaced while the edit used it.`, {
        hint: 'Start the edit again, and leave the files of its model as they are while it runs.',
      });
    }
  }
}

function filesOf({ initializers }: Graph): ReadonlySet<string> {
  return new Set(initializers.flatMap((one) => ('stored' in one ? [one.stored.file] : [])));
}

async function factsOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(file);
    return JSON.stringify([dev, ino, size, mtimeMs]);
  } catch (error) {
    throw translateReadError(file, error);
  }
}

function missing(error: unknown): null {
  if (error instanceof EditError && error.code === 'model-missing') return null;
  throw error;
}
