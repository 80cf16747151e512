// LoRA and small models for tests.

import { join } from 'node:path';
import { createRandom } from '../../../tensor/random.ts';
import { sizeOf, tensor, type Tensor } from '../../../tensor/tensor.ts';
import { openSafetensors, storedTensors } from '../../safetensors.ts';
import { writeSafetensors } from '../../safetensors-write.ts';
import { tensorsInFiles, type TensorSource } from '../../tensor-source.ts';
import { openLora, type LoraFile } from '../lora-file.ts';
import { matchLora, type MatchedLora } from '../match-lora.ts';
import { adapterNames } from '../module-names.ts';
import type { MatrixProducts } from '../products.ts';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Tensors of normal random numbers. */
export function randomTensors(shapes: Shapes, seed = 1): ReadonlyMap<string, Tensor> {
  const random = createRandom(seed);
  return new Map(
    Object.entries(shapes).map(([name, dims]) => {
      const values = Float32Array.from({ length: sizeOf(dims) }, () => random.gaussian());
      return [name, tensor(dims, values)];
    }),
  );
}

/** Writes the file `name` in `dir` and returns its path. */
export async function writeTensors(
  dir: string,
  name: string,
  shapes: Shapes,
  options: { readonly seed?: number; readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const file = join(dir, name);
  await writeSafetensors(file, randomTensors(shapes, options.seed), options.metadata);
  return file;
}

export async function sourceIn(file: string): Promise<TensorSource> {
  return tensorsInFiles(storedTensors(await openSafetensors(file)));
}

/** Opens the LoRA for a model of one part, its UNet. */
export async function matchUNet(lora: LoraFile, { tensors }: Pick<TensorSource, 'tensors'>): Promise<MatchedLora> {
  const parts = new Map([['unet', tensors]]);
  return matchLora(await openLora(lora), parts, adapterNames(new Map([['unet', tensors.keys()]])));
}

/** Sums in double precision, as slowly as it gets. */
export function plainProducts(): MatrixProducts {
  return {
    release: () => Promise.resolve(),
    multiply(a, b, { rows, inner, columns }) {
      const product = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let sum = 0;
          for (let i = 0; i < inner; i++) sum += (a[row * inner + i] as number) * (b[i * columns + column] as number);
          product[row * columns + column] = sum;
        }
      }
      return Promise.resolve(product);
    },
  };
}
