// The official code in a Python process (official.py).

import path from 'node:path';
import { PythonProcess } from '../python-process.ts';

const script = path.join(import.meta.dirname, 'official.py');

/** Of both contestants. */
export const threads = 2;

/** Either a checkpoint's folder or the widths of a network with random weights. */
export type OfficialNetwork = { readonly model: string } | { readonly channels: readonly number[] };

/** Null where Python has not what it needs, which `log` is told. */
export async function startOfficialCode(
  folder: string,
  network: OfficialNetwork,
  log: (line: string) => void,
): Promise<PythonProcess | null> {
  const args = 'model' in network ? ['--model', network.model] : ['--channels', network.channels.join(',')];
  const python = await PythonProcess.start(script, [folder, ...args, '--threads', String(threads)]);
  if (python === null) {
    log('Python has not torch, diffusers 0.21 and transformers 4.33 (TOKENFLOW_PYTHON names another): no comparison.');
  }
  return python;
}
