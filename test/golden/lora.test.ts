// What the recorded adapters don't compare by themselves (golden.test.ts): halves, and several adapters at once.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { float32Copy } from '../../companion-server/src/weights/float32-copy.ts';
import { readStoredTensor } from '../../companion-server/src/weights/safetensors.ts';
import type { TensorSource } from '../../companion-server/src/weights/tensor-source.ts';
import { goldenDir } from '../fixture-networks.ts';
import { loraBase, loraCases, matchCase, mergeInto, mergeLimit, type LoraCase, type Sources } from './lora.ts';

const golden = path.join(goldenDir, 'lora');
const cases = await loraCases(golden);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-lora-'));
});
afterAll(() => rm(dir, { recursive: true }));

const match = (sources: Sources, one: LoraCase) => matchCase(golden, sources, one);
const merge = (...[sources, matched]: [Sources, Parameters<typeof mergeInto>[1]]) =>
  mergeInto(sources, matched, path.join(dir, 'cache'));

function caseOf(name: string): LoraCase {
  const one = cases.get(name);
  if (one === undefined) expect.fail(`there is no case ${name}`);
  return one;
}

describe('a LoRA merged into weights', () => {
  it('has every kind among the recorded ones', () => {
    const names = [...cases.keys()].join(' ');
    for (const kind of [
      'lora',
      'locon',
      'tucker',
      'loha',
      'lokr',
      'dora',
      'whole',
      'rank-stabilised',
      'bfloat16',
      'peft',
    ]) {
      expect(names).toContain(kind);
    }
  });

  it('is the same before and after a float32 copy of halves, but for the rounding to halves', async () => {
    const halves = await loraBase(golden, 'unet-half');
    const one = caseOf('kohya-lora');
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
    const sources = await loraBase(golden);
    const two = ['lycoris-locon', 'kohya-lora'].map(caseOf);
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
    expect(worst / Math.max(...wanted.map(Math.abs))).toBeLessThan(mergeLimit);
  });
});
