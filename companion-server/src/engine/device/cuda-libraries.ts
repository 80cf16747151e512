// What CUDA on Linux lacks, by name: ONNX Runtime's own provider library, or what that library needs.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { missingLibraries } from './shared-libraries.ts';

/** Of ONNX Runtime, beside its native library. */
const providerLibrary = 'libonnxruntime_providers_cuda.so';

/** The path of the provider library of this ONNX Runtime, once it is installed (docs/gpu.md). */
export function cudaProviderFile(): string {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return path.join(path.dirname(manifest), 'bin', 'napi-v6', process.platform, process.arch, providerLibrary);
}

/**
 * Why CUDA cannot load on this system, as the end of a sentence, or null when nothing is missing that can be seen from
 * outside. Reads what the provider library says it needs, so that it holds for whatever CUDA it was built with.
 */
export async function explainMissingCuda(file: string = cudaProviderFile()): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  if (!existsSync(file)) return 'its libraries are not installed, which takes one command (docs/gpu.md)';
  const missing = await missingLibraries(file);
  return missing.length === 0 ? null : `the loader does not find ${missing.join(', ')}, which ${providerLibrary} needs`;
}
