// Which weights of a checkpoint a LoRA changes. A LoRA that fits nothing, or whose shapes are those of another model, is
// refused; single keys that fit nothing are counted and named.

import type { TensorInfo } from '../../tensor/stored-tensor.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { adapterError } from './adapter-error.ts';
import { changesOf, type Change } from './changes.ts';
import { groupKeys, type ModuleKeys } from './grouped-keys.ts';
import type { OpenedLora } from './lora-file.ts';
import type { ModuleTarget } from './module-names.ts';
import { dimsOf, familyOfUNet, recogniseLora } from './recognise-lora.ts';

/** A change of one weight by one LoRA. */
export interface WeightChange {
  readonly lora: OpenedLora;
  readonly change: Change;
  /** The file's keys of what it is computed from, and of its scales. */
  readonly keys: ModuleKeys;
  readonly target: ModuleTarget;
  /** By which axis DoRA's magnitudes go; null without them. */
  readonly magnitudes: 'rows' | 'columns' | null;
}

/** By folder of the part, then by the key of the weight. */
export type ChangesByWeight = ReadonlyMap<string, ReadonlyMap<string, readonly WeightChange[]>>;

export interface MatchedLora {
  readonly lora: OpenedLora;
  readonly changes: readonly { readonly part: string; readonly key: string; readonly change: WeightChange }[];
  /** Keys of the file that change nothing. */
  readonly leftOver: readonly string[];
}

/** What LoRA can change: the weights of each part, by folder. */
export type TensorsByPart = ReadonlyMap<string, ReadonlyMap<string, TensorInfo>>;

/** @param names of adapterNames(), for the keys of `parts`. Throws EditError 'adapter-unsupported'. */
export function matchLora(
  lora: OpenedLora,
  parts: TensorsByPart,
  names: ReadonlyMap<string, ModuleTarget>,
): MatchedLora {
  const { entries, metadata } = lora.header;
  const recognised = recogniseLora(entries, metadata);
  if (recognised === null) throw noLora(lora);
  const model = familyOfUNet(parts.get('unet') ?? new Map<string, TensorInfo>());
  const refuse = (fault: string) => {
    const made = recognised.family === null ? '' : ` It is for ${recognised.family}.`;
    const here = model === null ? '' : ` This model is ${model}.`;
    return adapterError('adapter-unsupported', 'LoRA', lora.name, `${fault}${made}${here}`);
  };
  if (recognised.family !== null && model !== null && recognised.family !== model) {
    throw refuse('is for another kind of model.');
  }
  const { modules, others } = groupKeys(entries.keys(), (module) => names.has(module));
  const used = new Set<string>();
  const changes: { part: string; key: string; change: WeightChange }[] = [];
  const targets = new Set<string>();
  for (const [name, keys] of modules) {
    const target = names.get(name) as ModuleTarget;
    for (const change of changesOf(dimsOf(keys, entries))) {
      const key = `${target.module}.${change.of}`;
      const weight = parts.get(target.part)?.get(key);
      // Two names of one module in a file: what is said twice is taken once.
      const place = JSON.stringify([target.part, key, change.kind]);
      if (weight === undefined || targets.has(place)) continue;
      if (change.rows !== weight.dims[0] || change.rows * change.columns !== sizeOf(weight.dims)) {
        throw refuse(
          `does not fit: its "${name}" changes ${change.rows} x ${change.columns} values, the model has [${weight.dims.join(', ')}] there.`,
        );
      }
      targets.add(place);
      const magnitudes = change.of === 'weight' ? magnitudeAxis(keys, entries, weight.dims, refuse) : null;
      changes.push({ part: target.part, key, change: { lora, change, keys, target, magnitudes } });
      for (const slot of [...change.slots, 'alpha', 'doraScale', 'magnitude'] as const) used.add(keys.get(slot) ?? '');
    }
  }
  if (changes.length === 0)
    throw refuse(`fits nothing in this model; its first key is "${[...entries.keys()][0] ?? ''}".`);
  const groupedKeys = [...modules.values()].flatMap((keys) => [...keys.values()]);
  return { lora, changes, leftOver: [...groupedKeys, ...others].filter((key) => !used.has(key)) };
}

function noLora({ name, header }: OpenedLora) {
  const keys = [...header.entries.keys()];
  const first = keys[0] === undefined ? 'it is empty' : `its ${keys.length} keys begin with "${keys[0]}"`;
  return adapterError('adapter-unsupported', 'LoRA', name, `is no LoRA of a known kind: ${first}.`);
}

/** kohya and LyCORIS keep the axis in the shape of `dora_scale`; PEFT's magnitudes are of rows. */
function magnitudeAxis(
  keys: ModuleKeys,
  entries: ReadonlyMap<string, { readonly dims: readonly number[] }>,
  [rows = 1, columns = 1]: readonly number[],
  refuse: (fault: string) => Error,
): 'rows' | 'columns' | null {
  const key = keys.get('magnitude') ?? keys.get('doraScale');
  if (key === undefined) return null;
  const dims = entries.get(key)?.dims ?? [];
  const axis = keys.has('magnitude') || dims[0] === rows ? 'rows' : 'columns';
  const wanted = axis === 'rows' ? rows : columns;
  if (sizeOf(dims) !== wanted) throw refuse(`does not fit: "${key}" must have ${wanted} values, has ${sizeOf(dims)}.`);
  return axis;
}

/** The changes of several LoRAs together, of each weight in the order of the LoRAs. */
export function changesByWeight(matched: readonly MatchedLora[]): ChangesByWeight {
  const parts = new Map<string, Map<string, WeightChange[]>>();
  for (const { part, key, change } of matched.flatMap(({ changes }) => changes)) {
    const weights = parts.get(part) ?? new Map<string, WeightChange[]>();
    parts.set(part, weights);
    weights.set(key, [...(weights.get(key) ?? []), change]);
  }
  return parts;
}

/** Most keys that a notice names. */
const namedKeys = 3;

/** A sentence about keys that change nothing; null where there are none. */
export function leftOverNotice({ lora, leftOver }: MatchedLora): string | null {
  if (leftOver.length === 0) return null;
  const named = leftOver.slice(0, namedKeys).map((key) => `"${key}"`);
  const more = leftOver.length > namedKeys ? ` and ${leftOver.length - namedKeys} more` : '';
  return `The LoRA "${lora.name}": ${leftOver.length} of its ${lora.header.entries.size} keys fit nothing in this model and were not used: ${named.join(', ')}${more}.`;
}
