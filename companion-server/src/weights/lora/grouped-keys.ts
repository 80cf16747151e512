// The tensors of an adapter's file by the module that they belong to, as the file names it.

import { slotsBySuffix, type Slot } from './slots.ts';

/** The file's key of each tensor that a module has. */
export type ModuleKeys = ReadonlyMap<Slot, string>;

export interface GroupedKeys {
  /** By the name of the module in the file. */
  readonly modules: ReadonlyMap<string, ModuleKeys>;
  /** Keys that are no tensor of an adapter's module. */
  readonly others: readonly string[];
}

/** @param knows whether a name is that of a module; where several ends of a key are possible, it decides */
export function groupKeys(keys: Iterable<string>, knows: (module: string) => boolean = () => true): GroupedKeys {
  const modules = new Map<string, Map<Slot, string>>();
  const others: string[] = [];
  for (const key of keys) {
    const found = findModule(key, knows);
    if (found === undefined) {
      others.push(key);
      continue;
    }
    const module = modules.get(found.module) ?? new Map<Slot, string>();
    module.set(found.slot, key);
    modules.set(found.module, module);
  }
  return { modules, others };
}

/** Longest first: `.lora_B.weight` ends in no shorter end, but `_lora.up.weight` may. */
const suffixes = [...slotsBySuffix].sort(([a], [b]) => b.length - a.length);

function findModule(key: string, knows: (module: string) => boolean) {
  for (const [suffix, slot] of suffixes) {
    if (!key.endsWith(suffix)) continue;
    const module = key.slice(0, -suffix.length);
    if (knows(module)) return { module, slot };
  }
  return undefined;
}
