// A LoRA's file, opened: its header, the alpha that PEFT keeps elsewhere, and its values as float32.

import { basename, dirname, join } from 'node:path';
import { EditError } from '../../errors.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import { readJsonObject } from '../json-file.ts';
import { readRange, withFile } from '../read-range.ts';
import { openSafetensors, storedTensor, toFloat32, type SafetensorsFile } from '../safetensors.ts';
import { naming } from './adapter-error.ts';
import { scaleInConfig, scaleInMetadata, type DeclaredScale } from './peft-alpha.ts';

/** A LoRA of an edit. */
export interface LoraFile {
  /** What the user calls it. */
  readonly name: string;
  /** Absolute path of a safetensors file. */
  readonly file: string;
  /** 0 leaves the model as it is, 1 is the LoRA as it was trained; -2..2. */
  readonly strength: number;
}

export interface OpenedLora extends LoraFile {
  readonly header: SafetensorsFile;
  readonly declaredScale: DeclaredScale;
}

/** The name that PEFT gives to the weights of an adapter; its settings are in a file beside it. */
const peftFileName = 'adapter_model.safetensors';

/** Throws EditError: 'adapter-missing', 'adapter-damaged', 'adapter-unsupported', each with the LoRA's name. */
export async function openLora(lora: LoraFile): Promise<OpenedLora> {
  const { name, file } = lora;
  return naming('LoRA', name, async () => {
    if (/\.(bin|ckpt|pt|pth)$/i.test(file)) {
      throw new EditError(
        'model-unsupported',
        `${file}: is a pickle, which may run code when it is read; a .safetensors file is needed.`,
      );
    }
    const header = await openSafetensors(file);
    const declaredScale =
      basename(file) === peftFileName ? await readConfig(dirname(file)) : scaleInMetadata(header.metadata);
    return { ...lora, header, declaredScale };
  });
}

async function readConfig(folder: string): Promise<DeclaredScale> {
  return scaleInConfig(await readJsonObject(join(folder, 'adapter_config.json')));
}

/** Reads tensors of the file by their keys. Throws EditError 'adapter-missing', 'adapter-damaged', 'adapter-unsupported'. */
export async function readValues(
  { name, header }: OpenedLora,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Tensor>> {
  return naming('LoRA', name, () =>
    withFile(header.path, async (handle) => {
      const read = keys.map(async (key) => {
        const entry = header.entries.get(key);
        if (entry === undefined) throw new TypeError(`There is no tensor ${key} to read.`);
        const bytes = await readRange(handle, header.path, entry.byteOffset, entry.byteLength);
        const { dtype } = storedTensor(header.path, entry) ?? {};
        if (dtype !== undefined) return [key, tensor(entry.dims, toFloat32(dtype, bytes))] as const;
        const numbers = wideNumbers(entry.dtype, bytes);
        if (numbers !== undefined) return [key, tensor(entry.dims, Float32Array.from(numbers))] as const;
        throw new EditError(
          'model-unsupported',
          `${header.path}: tensor "${key}": values of the type ${entry.dtype} are not read.`,
        );
      });
      return new Map(await Promise.all(read));
    }),
  );
}

/** An alpha may be a whole number or in double precision. */
function wideNumbers(dtype: string, { buffer }: Uint8Array): Iterable<number> | undefined {
  switch (dtype) {
    case 'F64':
      return new Float64Array(buffer);
    case 'I64':
      return Array.from(new BigInt64Array(buffer), Number);
    case 'I32':
      return new Int32Array(buffer);
    default:
      return undefined;
  }
}
