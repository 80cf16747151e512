// The list of models of a machine with several programs, as a state of the panel.

import { makeLoraInfo, makeModelInfo } from '../../../../protocol/testing/models.ts';
import type { ListKind } from '../../state/model-list.ts';
import type { PanelState } from '../../state/panel-state.ts';

const pickle = 'It is a pickle, which may run code when it is read: take the model as .safetensors.';
const xl = 'Stable Diffusion XL';
const comfy = { source: 'comfyui', folder: 'models/checkpoints' } as const;

const models = [
  makeModelInfo({
    id: 'sd15',
    title: 'Stable Diffusion 1.5',
    goodFor: 'Real footage of any kind, 512 pixels.',
    source: 'downloaded',
  }),
  makeModelInfo({
    id: 'demo',
    title: 'Demo model',
    goodFor: 'A toy world of coloured objects, to see that everything works.',
    sizeBytes: 33_000_000,
  }),
  makeModelInfo({
    id: 'stabilityai/stable-diffusion-xl-base-1.0',
    title: 'Stable Diffusion XL 1.0',
    goodFor: 'Real footage at 1024x1024, for several times the time and memory of 1.5.',
    family: xl,
    sizeBytes: 6_938_000_000,
    source: 'hub',
  }),
  makeModelInfo({ id: 'film-grade-v3', ...comfy, folder: 'models/checkpoints/film', family: xl, sizeBytes: 6.6e9 }),
  makeModelInfo({ id: 'realistic-v6', ...comfy, family: 'Stable Diffusion 1.x', sizeBytes: 2.13e9 }),
  makeModelInfo({ id: 'analog', source: 'automatic1111', folder: 'models/Stable-diffusion', sizeBytes: 2.13e9 }),
  makeModelInfo({ id: 'old-comic', ...comfy, family: null, sizeBytes: 4.27e9, problem: pickle }),
  makeModelInfo({
    id: 'flux1-dev-fp8',
    ...comfy,
    family: null,
    sizeBytes: 17.2e9,
    problem: 'It is Flux: take a text-to-image checkpoint of Stable Diffusion 1.x, 2.x or XL.',
  }),
  makeModelInfo({
    id: 'sd_v1.5_f16',
    source: 'draw-things',
    folder: 'Models',
    family: null,
    sizeBytes: 1.72e9,
    problem: 'It is in a format of Draw Things: take the original file of the model as .safetensors.',
  }),
];

const loras = [
  makeLoraInfo({
    name: 'hyper-sd15-8steps-cfg',
    title: 'Hyper-SD 8 steps for Stable Diffusion 1.5',
    goodFor: 'Edits in 8 steps that keep guidance and negative prompts.',
    source: 'downloaded',
    folder: '',
    sizeBytes: 269_000_000,
  }),
  makeLoraInfo({ name: 'film-grain', sizeBytes: 144_000_000 }),
  makeLoraInfo({ name: 'watercolour-xl', folder: 'models/loras/styles', family: xl, sizeBytes: 456_000_000 }),
  makeLoraInfo({
    name: 'old-style',
    source: 'automatic1111',
    folder: 'models/Lora',
    family: null,
    sizeBytes: 151_000_000,
    problem: pickle,
  }),
];

export function withModels(state: PanelState, kind: ListKind): PanelState {
  return {
    ...state,
    models: { models, loras, notices: ['ComfyUI, models/vae: there is no permission to read it.'] },
    overlay: { name: 'models', kind, filter: '', isLooking: false, problem: null },
  };
}
