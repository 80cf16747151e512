// Adapters of each kind, merged here and by the libraries that write them (make/lora.py).

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMatrixProducts } from '../../companion-server/src/engine/model/matrix-product.ts';
import { float32Copy } from '../../companion-server/src/weights/float32-copy.ts';
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

const golden = path.join(import.meta.dirname, '..', 'fixtures', 'golden', 'lora');

interface Case {
  readonly file: string;
  readonly strength: number;
}
const cases = Object.entries(JSON.parse(readFileSync(path.join(golden, 'cases.json'), 'utf8')) as Record<string, Case>);

/** Of a merged weight, relative to its largest value. The libraries sum in another order. */
const tolerance = 1e-6;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-lora-'));
});
afterAll(() => rm(dir, { recursive: true }));

type Sources = ReadonlyMap<string, TensorSource>;

async function base(unet = 'unet'): Promise<Sources> {
  const read = async (file: string) =>
    tensorsInFiles(storedTensors(await openSafetensors(path.join(golden, 'base', `${file}.safetensors`))));
  return new Map([
    ['unet', await read(unet)],
    ['text_encoder', await read('text_encoder')],
  ]);
}

async function match(sources: Sources, { file, strength }: Case): Promise<MatchedLora> {
  const lora = await openLora({ name: file, file: path.join(golden, file), strength });
  const parts = new Map([...sources].map(([part, { tensors }]) => [part, tensors]));
  return matchLora(lora, parts, adapterNames(new Map([...parts].map(([part, tensors]) => [part, tensors.keys()]))));
}

function merge(sources: Sources, matched: readonly MatchedLora[]): Sources {
  const changes = changesByWeight(matched);
  const options = { cacheDir: path.join(dir, 'cache'), openProducts: openMatrixProducts, inUse: new Set<string>() };
  return new Map(
    [...sources].map(([part, source]) => [part, mergedWeights(source, changes.get(part) ?? new Map(), options)]),
  );
}

/** The largest difference of the merged weights from those of `name`, and the keys that should have stayed. */
async function difference(name: string, merged: Sources, before: Sources) {
  const expected = await openSafetensors(path.join(golden, `${name}.merged.safetensors`));
  let worst = 0;
  const changedKeys: string[] = [];
  for (const [part, source] of merged) {
    const stored = await source.stored();
    const unchanged = await before.get(part)?.stored();
    for (const [key, where] of stored) {
      const id = `${part}/${key}`;
      if (where.file === unchanged?.get(key)?.file) continue;
      changedKeys.push(id);
      const { data } = await readStoredTensor(where);
      const wanted = await readTensor(expected, id);
      expect(where.dims, id).toEqual(wanted.dims);
      // A recorded merge that changes nothing would prove nothing.
      const old = await readStoredTensor(unchanged?.get(key) ?? where);
      expect(Math.max(...wanted.data.map((value, i) => Math.abs(value - (old.data[i] ?? 0)))), id).toBeGreaterThan(
        0.01,
      );
      const scale = Math.max(...wanted.data.map(Math.abs));
      for (let i = 0; i < data.length; i++) {
        worst = Math.max(worst, Math.abs((data[i] as number) - (wanted.data[i] as number)) / scale);
      }
    }
  }
  expect(changedKeys.sort()).toEqual([...expected.entries.keys()].sort());
  return worst;
}

describe('a LoRA merged into weights', () => {
  it.each(cases)('%s: as its own library merges it', async (name, one) => {
    const sources = await base();
    const matched = await match(sources, one);
    expect(matched.leftOver).toEqual([]);
    expect(await difference(name, merge(sources, [matched]), sources)).toBeLessThan(tolerance);
  });

  it('has every kind among the recorded ones', async () => {
    const names = cases.map(([name]) => name).join(' ');
    for (const kind of ['lora', 'locon', 'tucker', 'loha', 'lokr', 'dora', 'whole', 'rank-stabilised', 'bfloat16']) {
      expect(names).toContain(kind);
    }
    expect(await readFile(path.join(golden, 'cases.json'), 'utf8')).toContain('peft-');
  });

  it('is the same before and after a float32 copy of halves, but for the rounding to halves', async () => {
    const halves = await base('unet-half');
    const [, one] = cases.find(([name]) => name === 'kohya-lora') as [string, Case];
    const matched = await match(halves, one);
    const copyDir = path.join(dir, 'copies');
    const first = new Map([...halves].map(([part, source]) => [part, float32Copy(source, copyDir)]));
    const copied = merge(first, [await match(first, one)]).get('unet') as TensorSource;
    const merged = float32Copy(merge(halves, [matched]).get('unet') as TensorSource, copyDir);
    const [exact, rounded] = [await copied.stored(), await merged.stored()];
    expect([...exact.keys()].sort()).toEqual([...rounded.keys()].sort());
    for (const [key, where] of exact) {
      const { data } = await readStoredTensor(where);
      const other = await readStoredTensor(rounded.get(key) ?? where);
      const isChanged = matched.changes.some((change) => change.part === 'unet' && change.key === key);
      const scale = Math.max(...data.map(Math.abs));
      const worst = Math.max(...data.map((value, i) => Math.abs(value - (other.data[i] as number)))) / scale;
      if (isChanged) expect(worst).toBeLessThan(2 ** -11);
      else expect(worst).toBe(0);
    }
  });

  it('adds to what another has changed', async () => {
    const sources = await base();
    const two = ['lycoris-locon', 'kohya-lora'].map((name) => cases.find(([one]) => one === name)?.[1] as Case);
    const matched = await Promise.all(two.map((one) => match(sources, one)));
    const key = 'down_blocks.0.resnets.0.conv1.weight';
    const valuesOf = async (from: Sources) => {
      const where = (await (from.get('unet') as TensorSource).stored()).get(key);
      if (where === undefined) expect.fail(`${key} is missing`);
      return (await readStoredTensor(where)).data;
    };
    const before = await valuesOf(sources);
    const [first, second, both] = [
      await valuesOf(merge(sources, matched.slice(0, 1))),
      await valuesOf(merge(sources, matched.slice(1))),
      await valuesOf(merge(sources, matched)),
    ];
    const wanted = before.map((value, i) => (first[i] as number) + (second[i] as number) - value);
    const worst = Math.max(...both.map((value, i) => Math.abs(value - (wanted[i] as number))));
    expect(worst / Math.max(...wanted.map(Math.abs))).toBeLessThan(tolerance);
  });
});
