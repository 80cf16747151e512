// Weights of one network out of several sources.

import { createHash } from 'node:crypto';
import type { TensorReader, TensorSource } from './tensor-source.ts';

/** Where a key is in several sources, the last counts. */
export function joinedSources(sources: readonly TensorSource[]): TensorSource {
  const home = new Map(sources.flatMap((source) => [...source.tensors.keys()].map((key) => [key, source] as const)));
  return {
    tensors: new Map(sources.flatMap(({ tensors }) => [...tensors])),
    async fingerprint() {
      const prints = await Promise.all(sources.map((source) => source.fingerprint()));
      return createHash('sha256').update(JSON.stringify(prints)).digest('hex').slice(0, 32);
    },
    async open() {
      const readers = new Map<TensorSource, TensorReader>();
      for (const source of sources) readers.set(source, await source.open());
      return {
        async read(name, ...where) {
          const reader = readers.get(home.get(name) as TensorSource);
          if (reader === undefined) throw new TypeError(`There is no tensor ${name} to read.`);
          await reader.read(name, ...where);
        },
        async close() {
          for (const reader of readers.values()) await reader.close();
        },
      };
    },
    async stored() {
      const stored = await Promise.all(sources.map((source) => source.stored()));
      return new Map(stored.flatMap((tensors) => [...tensors]));
    },
  };
}

/** Only these tensors of `source`. */
export function someOf(source: TensorSource, isWanted: (key: string) => boolean): TensorSource {
  const wanted = <T>(tensors: ReadonlyMap<string, T>) => new Map([...tensors].filter(([key]) => isWanted(key)));
  return { ...source, tensors: wanted(source.tensors), stored: async () => wanted(await source.stored()) };
}
