import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EditError } from '../errors.ts';
import { sizeOf, type Tensor, tensor } from '../tensor/tensor.ts';
import { openSafetensors, readIntegers, readTensor, storedTensor } from './safetensors.ts';
import { writeSafetensors } from './safetensors-write.ts';
import { safetensorsBytes } from './testing/made-files.ts';

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'safetensors-'));
  path = join(dir, 'file.safetensors');
});
afterAll(() => rm(dir, { recursive: true }));

/** Writes `header` (an object, or the exact text) and `dataBytes` zeros; returns what opening it says. */
async function faultOf(header: unknown, dataBytes = 0, headerLength?: bigint): Promise<string> {
  await writeFile(path, safetensorsBytes(header, new Uint8Array(dataBytes), headerLength));
  try {
    await openSafetensors(path);
  } catch (error) {
    if (error instanceof EditError) return `${error.code}: ${error.message.replace(path, 'FILE')}`;
    throw error;
  }
  return 'accepted';
}

const names = fc.string({ unit: 'binary', minLength: 0, maxLength: 8 });
const tensors = fc
  .dictionary(names, fc.array(fc.nat(5), { maxLength: 4 }), { maxKeys: 8 })
  .map((shapes): Map<string, Tensor> => {
    const made = Object.entries(shapes).filter(([name]) => name !== '__metadata__');
    return new Map(
      made.map(([name, dims], k) => [
        name,
        tensor(
          dims,
          Float32Array.from({ length: sizeOf(dims) }, (_, i) => i - k / 3),
        ),
      ]),
    );
  });

describe('a written file', () => {
  it('reads back as it was, whatever the names and shapes', async () => {
    await fc.assert(
      fc.asyncProperty(tensors, async (written) => {
        await writeSafetensors(path, written, { made: 'by a test' });
        const file = await openSafetensors(path);
        expect(file.metadata.get('made')).toBe('by a test');
        expect(new Set(file.entries.keys())).toEqual(new Set(written.keys()));
        for (const [name, expected] of written) {
          expect(await readTensor(file, name)).toEqual(expected);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('can be mapped: data begin on a page, tensors of whole cache lines on a cache line', async () => {
    const sizes = [3, 16, 5, 64, 1, 160];
    const written = new Map(sizes.map((size) => [`size ${size}`, tensor([size])]));
    await writeSafetensors(path, written);
    const { entries } = await openSafetensors(path);
    expect([...entries.values()][0]?.byteOffset).toBe(4096);
    for (const { byteOffset, byteLength } of entries.values()) {
      expect(byteOffset % (byteLength % 64 === 0 ? 64 : 4)).toBe(0);
    }
  });

  it('with one changed header byte opens or is called damaged, and never fails otherwise', async () => {
    await writeSafetensors(
      path,
      new Map([
        ['a.weight', tensor([2, 3])],
        ['b', tensor([4])],
      ]),
    );
    const whole = await readFile(path);
    const headerEnd = whole.indexOf('}}') + 4;
    await fc.assert(
      fc.asyncProperty(fc.nat(headerEnd), fc.nat(255), async (position, byte) => {
        const changed = Uint8Array.from(whole);
        changed[position] = byte;
        await writeFile(path, changed);
        const error: unknown = await openSafetensors(path).catch((reason: unknown) => reason);
        if (error instanceof Error) expect(error).toMatchObject({ code: 'model-damaged' });
      }),
      { numRuns: 300 },
    );
  });

  it('cut anywhere is called damaged', async () => {
    await writeSafetensors(path, new Map([['a', tensor([2, 3])]]));
    const whole = await readFile(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        await writeFile(path, whole.subarray(0, length));
        await expect(openSafetensors(path)).rejects.toMatchObject({ code: 'model-damaged' });
      }),
    );
  });
});

describe('a header that lies', () => {
  const f32 = (shape: unknown, data_offsets: unknown) => ({ dtype: 'F32', shape, data_offsets });
  const cases: [string, unknown, number, string][] = [
    ['no object', '[1]', 0, 'header must begin with "{"'],
    ['no JSON', '{"a":', 0, 'header must be JSON'],
    ['an unknown dtype', { a: { ...f32([1], [0, 4]), dtype: 'F4' } }, 4, 'tensor "a": dtype must be'],
    ['a dtype from the prototype', { a: { ...f32([], [0, 4]), dtype: 'toString' } }, 4, 'dtype'],
    ['a negative dim', { a: f32([-1], [0, 4]) }, 4, 'shape must be a list of whole numbers, got [-1]'],
    ['a fractional dim', { a: f32([1.5], [0, 6]) }, 6, 'got [1.5]'],
    ['a dim as text', { a: f32(['1'], [0, 4]) }, 4, 'got ["1"]'],
    ['an overflowing shape', { a: f32([2 ** 40, 2 ** 40], [0, 4]) }, 4, 'shape must not overflow'],
    ['an overflow times zero', { a: f32([2 ** 52, 2 ** 52, 0], [0, 0]) }, 0, 'must not overflow'],
    ['offsets that run backwards', { a: f32([1], [4, 0]) }, 4, 'must not run backwards'],
    ['one offset', { a: f32([1], [0]) }, 4, 'data_offsets must be two whole numbers'],
    ['a size that disagrees', { a: f32([2], [0, 4]) }, 4, 'F32 [2] takes 8 bytes, got [0,4]'],
    ['data beyond the end', { a: f32([2], [0, 8]) }, 4, 'the file has'],
    ['data far beyond the end', { a: f32([1], [2 ** 53 - 5, 2 ** 53 - 1]) }, 4, 'overflow'],
    ['overlapping tensors', { a: f32([2], [0, 8]), b: f32([1], [4, 8]) }, 8, 'tensor "b": overlaps'],
    ['a hole', { a: f32([1], [0, 4]), b: f32([1], [8, 12]) }, 12, 'tensor "b": leaves a hole'],
    ['bytes after the last tensor', { a: f32([1], [0, 4]) }, 9, '5 bytes that belong to no tensor'],
    ['metadata that is no text', { __metadata__: { a: 1 } }, 0, '__metadata__.a must be a text'],
    ['an entry that is no object', { a: 7 }, 0, 'tensor "a": entry must be an object, got 7'],
    [
      'a name twice',
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      0,
      'has the name "a" twice',
    ],
    ['a field twice', '{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0, '"dtype" twice'],
  ];
  it.each(cases)('%s', async (_, header, dataBytes, message) => {
    const fault = await faultOf(header, dataBytes);
    expect(fault).toContain('model-damaged: FILE: ');
    expect(fault).toContain(message);
  });

  it('a length beyond the file, beyond the limit, or too short for JSON', async () => {
    expect(await faultOf('{}', 0, 3n)).toContain('header of 3 bytes does not fit a file of 10 bytes');
    expect(await faultOf('{}', 0, 2n ** 63n)).toContain('must be in 2..100000000 bytes');
    expect(await faultOf('{}', 0, 0n)).toContain('says 0');
    expect(await faultOf('{}')).toBe('accepted');
  });

  it('text in another encoding', async () => {
    await writeFile(path, Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x7d]));
    await expect(openSafetensors(path)).rejects.toThrow('UTF-8');
  });
});

describe('files that are none', () => {
  it('a missing file, an empty one, a folder, a Git LFS pointer', async () => {
    await expect(openSafetensors(join(dir, 'none'))).rejects.toMatchObject({
      code: 'model-missing',
    });
    await expect(openSafetensors(dir)).rejects.toMatchObject({ code: 'model-damaged' });
    await writeFile(path, '');
    await expect(openSafetensors(path)).rejects.toThrow('needs at least 8 bytes, has 0');
    await writeFile(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    await expect(openSafetensors(path)).rejects.toThrow('Git LFS pointer');
  });
});

describe('reading', () => {
  it('widens halves, reads integers, and says when the dtype is another', async () => {
    const header = {
      half: { dtype: 'F16', shape: [3], data_offsets: [1, 7] },
      byte: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
      brain: { dtype: 'BF16', shape: [2, 1], data_offsets: [7, 11] },
      small: { dtype: 'I32', shape: [1, 2], data_offsets: [11, 19] },
      large: { dtype: 'I64', shape: [2], data_offsets: [19, 35] },
      huge: { dtype: 'I64', shape: [], data_offsets: [35, 43] },
    };
    const data = new DataView(new ArrayBuffer(43));
    [0x3c00, 0xc000, 0x0001].forEach((half, i) => data.setUint16(1 + 2 * i, half, true));
    [0x3f80, 0xc000].forEach((brain, i) => data.setUint16(7 + 2 * i, brain, true));
    [7, -8].forEach((value, i) => data.setInt32(11 + 4 * i, value, true));
    [9n, -10n, 2n ** 60n].forEach((value, i) => data.setBigInt64(19 + 8 * i, value, true));
    await writeFile(path, safetensorsBytes(header, new Uint8Array(data.buffer)));

    const file = await openSafetensors(path);
    expect(await readTensor(file, 'half')).toEqual(tensor([3], Float32Array.of(1, -2, 2 ** -24)));
    expect(await readTensor(file, 'brain')).toEqual(tensor([2, 1], Float32Array.of(1, -2)));
    expect(await readIntegers(file, 'small')).toEqual({ dims: [1, 2], data: [7, -8] });
    expect(await readIntegers(file, 'large')).toEqual({ dims: [2], data: [9, -10] });
    await expect(readIntegers(file, 'huge')).rejects.toThrow('below 2^53');
    await expect(readTensor(file, 'byte')).rejects.toThrow('dtype must be F32, F16, BF16 or F8, got U8');
    await expect(readIntegers(file, 'half')).rejects.toThrow('dtype must be I32 or I64, got F16');
    await expect(readTensor(file, 'none')).rejects.toThrow('has no tensor "none"');
    expect([...file.entries].map(([, entry]) => storedTensor(path, entry)?.dtype)).toEqual([
      undefined,
      'float16',
      'bfloat16',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('says so when the file has shrunk since it was opened', async () => {
    await writeSafetensors(path, new Map([['a', tensor([8])]]));
    const file = await openSafetensors(path);
    await writeFile(path, (await readFile(path)).subarray(0, -4));
    await expect(readTensor(file, 'a')).rejects.toThrow('bytes up to 4128 were expected');
  });
});
