// Descriptions of models for tests: a usable one, with what a test changes.

import type { LoraInfo, ModelInfo } from '../model-info.ts';

export function makeModelInfo(changes: Partial<ModelInfo> & Pick<ModelInfo, 'id'>): ModelInfo {
  return { title: changes.id, goodFor: '', ...usable, source: 'embedded', ...changes };
}

export function makeLoraInfo(changes: Partial<LoraInfo> & Pick<LoraInfo, 'name'>): LoraInfo {
  return { title: changes.name, goodFor: '', ...usable, source: 'comfyui', folder: 'models/loras', ...changes };
}

const usable = { family: 'Stable Diffusion 1.x', sizeBytes: 2_132_605_308, folder: '', problem: null } as const;
