// Safetensors files of random weights of any size, written at the speed of the disk. The values are of a scale that
// keeps a deep network in range: norms are 1, biases 0, and a matrix keeps the variance of what it gets.

import { mkdir, open, rename, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createRandom } from '../companion-server/src/tensor/random.ts';
import { sizeOf } from '../companion-server/src/tensor/tensor.ts';

export type RandomFloat = 'F32' | 'F16';
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** Not a multiple of any width, so that the rows of a matrix differ although the noise repeats. */
const blockLength = 131_101;
const headerUnit = 4096;

export interface RandomTensorOptions {
  readonly float: RandomFloat;
  /** The standard deviation of a tensor over that of one which keeps variance; 1 when left out. */
  readonly gain?: (name: string) => number;
  /** The key that the file has for a name; the name itself when left out. */
  readonly keyOf?: (name: string) => string;
}

/** Writes `file` and its folder. The file appears under its name when it is whole. */
export async function writeRandomTensors(file: string, shapes: Shapes, options: RandomTensorOptions): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const part = `${file}.part`;
  const handle = await open(part, 'w');
  const noise = new NoiseBlocks(options.float);
  try {
    await handle.writeFile(header(shapes, noise.bytesPerValue, options.keyOf));
    for (const [name, dims] of shapes) {
      const block = noise.of(deviationOf(name, dims) * (options.gain?.(name) ?? 1), isNormScale(name) ? 1 : 0);
      for (let left = sizeOf(dims) * noise.bytesPerValue; left > 0; left -= block.length) {
        await handle.writeFile(block.subarray(0, Math.min(left, block.length)));
      }
    }
  } finally {
    await handle.close();
  }
  await rename(part, file);
}

/**
 * Writes `file` and its folder: the header of such tensors, and behind it a hole of their size that takes no room on the disk.
 * For what reads headers only; all values are 0.
 */
export async function writeHollowTensors(file: string, shapes: Shapes, float: RandomFloat): Promise<void> {
  const bytesPerValue = float === 'F16' ? 2 : 4;
  const head = header(shapes, bytesPerValue);
  const values = [...shapes.values()].reduce((sum, dims) => sum + sizeOf(dims), 0);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, head);
  await truncate(file, head.length + values * bytesPerValue);
}

/** Blocks of Gaussian noise by deviation and mean, made once each. */
class NoiseBlocks {
  readonly bytesPerValue: number;
  private readonly float: RandomFloat;
  private readonly unit: Float32Array;
  private readonly made = new Map<string, Uint8Array>();

  constructor(float: RandomFloat) {
    this.float = float;
    this.bytesPerValue = float === 'F16' ? 2 : 4;
    const random = createRandom(3);
    this.unit = Float32Array.from({ length: blockLength }, () => random.gaussian());
  }

  of(deviation: number, mean: number): Uint8Array {
    const key = `${deviation} ${mean}`;
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const values = this.unit.map((value) => mean + deviation * value);
    const stored = this.float === 'F16' ? Uint16Array.from(values, toHalf) : values;
    const bytes = new Uint8Array(stored.buffer);
    this.made.set(key, bytes);
    return bytes;
  }
}

function isNormScale(name: string): boolean {
  return /norm[^.]*\.weight$/.test(name);
}

function deviationOf(name: string, dims: readonly number[]): number {
  if (isNormScale(name)) return 0.05;
  if (name.endsWith('.bias')) return 0.02;
  if (name.includes('embedding.weight')) return 0.5;
  return 1 / Math.sqrt(dims.slice(1).reduce((product, size) => product * size, 1));
}

function header(shapes: Shapes, bytesPerValue: number, keyOf = (name: string): string => name): Uint8Array {
  let end = 0;
  const entries = [...shapes].map(([name, shape]): [string, object] => {
    const begin = end;
    end += sizeOf(shape) * bytesPerValue;
    return [keyOf(name), { dtype: bytesPerValue === 2 ? 'F16' : 'F32', shape, data_offsets: [begin, end] }];
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const sizeBytes = Math.ceil((8 + json.length) / headerUnit) * headerUnit;
  const bytes = new Uint8Array(sizeBytes).fill(' '.charCodeAt(0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(sizeBytes - 8), true);
  bytes.set(json, 8);
  return bytes;
}

const bits = new DataView(new ArrayBuffer(4));

/** IEEE 754 binary16 of a finite value below 65504, rounded to nearest; what is too small becomes 0. */
export function toHalf(value: number): number {
  bits.setFloat32(0, value);
  const single = bits.getUint32(0);
  const sign = (single >>> 16) & 0x8000;
  const exponent = ((single >>> 23) & 0xff) - 112;
  if (exponent <= 0) return sign;
  return sign + (exponent << 10) + (((single & 0x7fffff) + 0x1000) >>> 13);
}
