import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { atMost } from '../rows.ts';
import type { Gate } from './gate.ts';

const parts = ['text_encoder', 'unet', 'vae'] as const;

export const sizeGate: Gate = {
  name: 'size',
  title: 'Bytes of the weights of all parts, as they are stored (half precision); the judge is no part',
  isQuick: true,
  async run({ modelDir, log }) {
    let total = 0;
    for (const part of parts) {
      const bytes = await weightBytes(path.join(modelDir, part));
      log(`${part}: ${(bytes / 1e6).toFixed(2)} MB`);
      total += bytes;
    }
    return [atMost('weights of all parts', total / 1e6, 25, (value) => `${value.toFixed(1)} MB`)];
  },
};

async function weightBytes(folder: string): Promise<number> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.safetensors'));
  const sizes = await Promise.all(files.map((file) => stat(path.join(folder, file))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}
