// Adapters of each kind, merged here and by the libraries that write them (make/lora.py).

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openMatrixProducts } from '../../companion-server/src/engine/model/matrix-product.ts';
import { openLora } from '../../companion-server/src/weights/lora/lora-file.ts';
import { changesByWeight, matchLora, type MatchedLora } from '../../companion-server/src/weights/lora/match-lora.ts';
import { mergedWeights } from '../../companion-server/src/weights/lora/merged-weights.ts';
import { adapterNames } from '../../companion-server/src/weights/lora/module-names.ts';
import {
  openSafetensors,
  readStoredTensor,
  readTensor,
  storedTensors,
} from '../../companion-server/src/weights/safetensors.ts';
import { tensorsInFiles, type TensorSource } from '../../companion-server/src/weights/tensor-source.ts';
import { maxAbsError } from '../numbers.ts';
import type { GoldenReport } from './report.ts';

export const loraCasesName = 'cases.json';

/** Of a merged weight, as a share of its largest value. The libraries sum in another order. */
export const mergeLimit = 1e-6;

/** The least that a merge must change a weight by: a recorded merge that changes nothing would prove nothing. */
const leastChange = 0.01;

/** An adapter's file below the folder, and the strength it is merged with. */
export interface LoraCase {
  readonly file: string;
  readonly strength: number;
}

/** The weights of a checkpoint by part. */
export type Sources = ReadonlyMap<string, TensorSource>;

/** By name, as make/lora.py wrote them. */
export async function loraCases(dir: string): Promise<ReadonlyMap<string, LoraCase>> {
  const text = await readFile(path.join(dir, loraCasesName), 'utf8');
  return new Map(Object.entries(JSON.parse(text) as Record<string, LoraCase>));
}

/** The layers that the adapters change; `unet` is a file of the folder `base`, for instance `unet-half`. */
export async function loraBase(dir: string, unet = 'unet'): Promise<Sources> {
  const read = async (file: string) =>
    tensorsInFiles(storedTensors(await openSafetensors(path.join(dir, 'base', `${file}.safetensors`))));
  return new Map([
    ['unet', await read(unet)],
    ['text_encoder', await read('text_encoder')],
  ]);
}

/** Which weights of `sources` an adapter changes. */
export async function matchCase(dir: string, sources: Sources, { file, strength }: LoraCase): Promise<MatchedLora> {
  const lora = await openLora({ name: file, file: path.join(dir, file), strength });
  const parts = new Map([...sources].map(([part, { tensors }]) => [part, tensors]));
  return matchLora(lora, parts, adapterNames(new Map([...parts].map(([part, tensors]) => [part, tensors.keys()]))));
}

/** The weights with adapters merged into them, kept in `cacheDir`. */
export function mergeInto(sources: Sources, matched: readonly MatchedLora[], cacheDir: string): Sources {
  const changes = changesByWeight(matched);
  const options = { cacheDir, openProducts: openMatrixProducts, inUse: new Set<string>() };
  return new Map(
    [...sources].map(([part, source]) => [part, mergedWeights(source, changes.get(part) ?? new Map(), options)]),
  );
}

/** Every adapter of the folder: the merged weights, which of them changed, and keys of the file that fit nothing. */
export async function compareLoras(dir: string, cacheDir: string, report: GoldenReport): Promise<void> {
  for (const [name, one] of await loraCases(dir)) {
    const sources = await loraBase(dir);
    const matched = await matchCase(dir, sources, one);
    const leftOver = matched.leftOver.join(', ');
    report.record(`${name}, all keys`, leftOver === '', leftOver === '' ? 'used' : `left over: ${leftOver}`);
    await compareMerged(name, dir, { before: sources, merged: mergeInto(sources, [matched], cacheDir) }, report);
  }
}

async function compareMerged(
  name: string,
  dir: string,
  { before, merged }: { readonly before: Sources; readonly merged: Sources },
  report: GoldenReport,
): Promise<void> {
  const expected = await openSafetensors(path.join(dir, `${name}.merged.safetensors`));
  const errors: number[] = [];
  const unmoved: string[] = [];
  const reshaped: string[] = [];
  const changed: string[] = [];
  for (const [part, source] of merged) {
    const unchanged = await before.get(part)?.stored();
    for (const [key, where] of await source.stored()) {
      const old = unchanged?.get(key);
      if (old === undefined || where.file === old.file) continue;
      const id = `${part}/${key}`;
      changed.push(id);
      if (!expected.entries.has(id)) continue;
      const { data } = await readStoredTensor(where);
      const { data: wanted, dims } = await readTensor(expected, id);
      if (dims.join() !== where.dims.join()) reshaped.push(id);
      errors.push(maxAbsError(data, wanted) / Math.max(...wanted.map(Math.abs)));
      if (maxAbsError((await readStoredTensor(old)).data, wanted) < leastChange) unmoved.push(id);
    }
  }
  const wantedKeys = [...expected.entries.keys()].sort();
  const isSame = changed.sort().join() === wantedKeys.join() && unmoved.length + reshaped.length === 0;
  report.record(`${name}, changed weights`, isSame, `${changed.length} of ${wantedKeys.length}`);
  const zeros = wantedKeys.map(() => 0);
  report.compare(`${name}, merged`, errors, zeros, mergeLimit);
}
