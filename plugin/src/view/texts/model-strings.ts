// Models, their downloads and licences.

import type { ProblemCode } from '../../state/problem.ts';
import type { DownloadState, OfferKind } from '../../../../protocol/model-offers.ts';
import type { ModelSource } from '../../../../protocol/model-info.ts';
import type { ListKind } from '../../state/model-list.ts';
import { typedCommand } from './typed-command.ts';
import { count } from './count.ts';

export const modelTexts = {
  model: {
    title: 'Model',
    all: 'All models',
    downloading: (title: string, percent: number) => `Downloading ${title}: ${percent} %`,
  },

  modelList: {
    title: 'Models',
    kinds: { models: 'On this machine', loras: 'LoRAs', get: 'Get more' } satisfies Record<ListKind, string>,
    search: 'Search',
    looking: 'The background app looks at the folders of models...',
    use: 'Use',
    inUse: 'in use',
    unusable: 'not usable',
    sources: {
      embedded: 'Comes with TokenFlow',
      downloaded: 'Downloaded',
      added: 'Added',
      hub: 'Hugging Face cache',
      comfyui: 'ComfyUI',
      automatic1111: 'AUTOMATIC1111 / Forge',
      invokeai: 'InvokeAI',
      diffusionbee: 'DiffusionBee',
      'draw-things': 'Draw Things',
      folder: 'Your folders',
    } satisfies Record<ModelSource, string>,
    empty: {
      models: 'No model was found.',
      loras: 'No LoRA was found. They are looked for in the folders of ComfyUI, AUTOMATIC1111 and others.',
      get: 'This background app does not download models.',
    } satisfies Record<ListKind, string>,
    noMatch: 'Nothing matches.',
    more: (files: number) => `And ${files} more: search to find them.`,
    notLookedAt: (notice: string) => `Not looked at: ${notice}`,
    footage: 'real footage',
    practice: 'practice',
    remove: 'Remove',
    folders: 'Folders that are looked into',
    folder: (title: string, models: number) => `${title}: ${count(models, 'file', 'files')}`,
    noFolders: 'No folder of another program was found.',
    addFolder: 'Other folders are added on the machine of the background app, not from here.',
    experts: 'For experts',
    addCommand: typedCommand('models folders add FOLDER'),
    removeTitle: 'Remove this model?',
    removeText: (title: string) =>
      `${title} is taken out of the list. A model that TokenFlow has downloaded is deleted from the disk; others stay where they are.`,
    removeConfirm: 'Remove',
  },

  download: {
    free: (size: string) => `${size} free on the disk`,
    get: 'Download',
    goOn: 'Go on',
    tooLarge: 'not enough space',
    licence: (name: string) => `Licence: ${name}`,
    here: 'here',
    pause: 'Pause',
    resume: 'Resume',
    cancel: 'Cancel',
    retry: 'Try again',
    states: {
      waiting: 'Waits for another download',
      running: 'Downloading',
      paused: 'Paused',
      failed: 'Stopped',
    } satisfies Record<DownloadState, string>,
    amount: (done: string, total: string) => `${done} of ${total}`,
    rate: (perSecond: string) => `${perSecond}/s`,
    left: (duration: string) => `${duration} left`,
    groups: { checkpoint: 'Models for real footage', lora: 'LoRAs' } satisfies Record<OfferKind, string>,
    problems: {
      'connection-lost': 'The model cannot be fetched. Are you offline? What has come is kept.',
      'disk-full': 'There is not enough space on the disk. Free some, then try again.',
      'output-unwritable': 'The folder of models cannot be written to.',
      'transfer-damaged': 'A file was damaged on its way, and is not used. Try again.',
      'download-refused': 'The network sends the download to a strange address. It was not followed.',
      'model-gated': 'Its authors give it to registered accounts only. Choose another model.',
      'model-missing': 'It is not there any more at the place that TokenFlow knows.',
      'licence-not-accepted': 'Its licence has changed. Cancel, and download it again.',
    } as Readonly<Partial<Record<ProblemCode, string>>>,
    tryingAgain: 'The connection was cut; trying again.',
  },

  licence: {
    heading: 'Licence',
    title: (model: string) => `Licence of ${model}`,
    reading: 'Fetching the licence...',
    text: (name: string) => `The authors of this model give it under ${name}. To download it, accept these terms.`,
    onlyAddress: (url: string) => `Read it at ${url}`,
    source: (url: string) => `Also at ${url}`,
    accept: 'Accept and download',
    decline: 'Not now',
  },
};
