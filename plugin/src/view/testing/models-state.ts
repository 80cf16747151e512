// The list of models of a machine with several programs, as a state of the panel.

import {
  makeControlNetInfo,
  makeDownload,
  makeLoraInfo,
  makeModelInfo,
  makeOffer,
  nothingElse,
  practiceVocabulary,
} from '../../../../protocol/testing/models.ts';
import type { ModelLists } from '../../../../protocol/messages/session-messages.ts';
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
    vocabulary: practiceVocabulary,
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

const offers = [
  makeOffer({
    id: 'stable-diffusion-1.5',
    title: 'Stable Diffusion 1.5',
    goodFor: 'Real footage of every kind at 512x512; the first choice for most edits.',
    state: 'begun',
  }),
  makeOffer({
    id: 'dreamshaper-8',
    title: 'DreamShaper 8',
    goodFor: 'Painted and illustrated looks.',
  }),
  makeOffer({
    id: 'stable-diffusion-xl-1.0',
    title: 'Stable Diffusion XL 1.0',
    goodFor: 'Real footage at 1024x1024, for several times the time and memory of 1.5.',
    family: xl,
    licenceName: 'CreativeML Open RAIL++-M',
    sizeBytes: 6_938_000_000,
    state: 'here',
  }),
  makeOffer({
    id: 'hyper-sd15-8steps-cfg',
    title: 'Hyper-SD 8 steps',
    kind: 'lora',
    goodFor: 'Edits in 8 steps.',
    licenceName: 'CreativeML Open RAIL++-M',
    sizeBytes: 269_000_000,
  }),
];

const downloads = [
  makeDownload({ id: 'stable-diffusion-1.5', title: 'Stable Diffusion 1.5' }),
  makeDownload({
    id: 'dreamshaper-8',
    title: 'DreamShaper 8',
    state: 'failed',
    doneBytes: 310_000_000,
    bytesPerSecond: null,
    error: { code: 'connection-lost', message: 'The hub cannot be reached.' },
  }),
];

/** The licence of a model, as it is shown before the download. */
export function withLicence(state: PanelState): PanelState {
  const text = [
    'CreativeML Open RAIL-M',
    'dated August 22, 2022',
    '',
    'Section I: PREAMBLE',
    '',
    'Multimodal generative models are being widely adopted and used, and have the potential to transform the way artists, among other individuals, conceive and benefit from AI or ML technologies as a tool for content creation.',
    '',
    'Notwithstanding the current and potential benefits that these artifacts can bring to society at large, there are also concerns about potential misuses of them, either due to their technical limitations or ethical considerations.',
  ].join('\n');
  const [modelId, title] = ['stable-diffusion-1.5', 'Stable Diffusion 1.5'];
  const url = 'https://huggingface.co/spaces/CompVis/stable-diffusion-license';
  const licence = { modelId, name: 'CreativeML Open RAIL-M', url, text, sha256: 'a'.repeat(64) };
  return { ...state, overlay: { name: 'licence', modelId, title, licence, problem: null } };
}

/** A server with ControlNets, of which one is for another family than its model. */
export const controlledModels: ModelLists = {
  models: models.filter(({ problem }) => problem === null),
  loras: [],
  ...nothingElse,
  controlNets: [
    makeControlNetInfo({ name: 'control_v11p_sd15_canny', kinds: ['canny'] }),
    makeControlNetInfo({ name: 'tile-xl', title: 'Tile XL', family: xl, kinds: ['tile'] }),
    makeControlNetInfo({ name: 'old-scribble', family: null, kinds: ['scribble'], problem: pickle }),
  ],
};

export function withModels(state: PanelState, kind: ListKind): PanelState {
  return {
    ...state,
    models: {
      models,
      loras,
      controlNets: [],
      notices: ['ComfyUI, models/vae: there is no permission to read it.'],
      folders: [
        { source: 'hub', title: 'Hugging Face cache', models: 1 },
        { source: 'comfyui', title: 'ComfyUI', models: 7 },
        { source: 'folder', title: 'Film looks', models: 2 },
      ],
      offers,
      freeBytes: 83_400_000_000,
    },
    downloads: kind === 'get' ? downloads : [],
    overlay: { name: 'models', kind, filter: '', isLooking: false, problem: null },
  };
}
