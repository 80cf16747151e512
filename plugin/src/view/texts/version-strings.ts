// The page of versions, and what made one.

import { count } from './count.ts';

export const versionTexts = {
  versions: {
    empty: 'Edits of this project are listed here, with every version.',
    emptyBrowser: 'Your edits are listed here, with every version.',
    version: (version: number) => `Version ${version}`,
    thumbnail: (version: number) => `A frame of version ${version}`,
    placed: { premiere: 'on the timeline', browser: 'current' },
    seed: (seed: number) => `seed ${seed}`,
    use: { premiere: 'Bring back', browser: 'Make current' },
    storage: (results: string, clips: string, cache: string, free: string) =>
      `TokenFlow keeps ${results} of results, ${clips} of clips, and ${cache} that it can make again. ${free} are free.`,
    drag: 'Drag it onto the timeline or into the project',
    compare: 'Compare',
    rerun: 'Re-run',
    recipe: 'What made this?',
    save: 'Download',
    forget: 'Delete',
    revert: 'Revert',
    revertNote: 'Takes the edit off the timeline. Versions stay here.',
  },

  recipe: {
    title: 'What made this?',
    prompt: 'Prompt',
    source: 'In the clip',
    negative: 'Avoided',
    model: 'Model',
    loras: 'LoRA',
    controls: 'ControlNet',
    strength: 'Structure to prompt',
    technique: 'Technique',
    pipeline: 'Quality',
    steps: 'Steps',
    guideBy: 'Guide by',
    guidance: 'Guidance',
    keyframes: 'Reference frame every',
    seed: 'Seed',
    made: 'Made',
    auto: "the model's own",
    frames: (frames: number) => count(frames, 'frame', 'frames'),
    load: 'Use these settings',
    copy: 'Copy',
  },
};
