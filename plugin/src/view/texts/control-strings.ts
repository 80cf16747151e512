// ControlNets, in Advanced.

import type { ControlKind, MadeControlKind } from '../../../../protocol/control.ts';

const kinds = {
  canny: 'Edges',
  lineart: 'Drawn lines',
  scribble: 'Scribble',
  luma: 'Light and dark',
  tile: 'Colours and coarse shapes',
} satisfies Record<MadeControlKind, string>;

export const controlTexts = {
  controls: {
    title: 'ControlNet',
    add: 'Add a ControlNet',
    kinds: { ...kinds, own: 'A video of your own' } as Readonly<Record<ControlKind, string>>,
    hint: 'Holds the edit to what it is shown of the clip, so that the prompt may be followed further. It takes longer.',
    none: 'No ControlNet was found. They are looked for in the folders of ComfyUI, AUTOMATIC1111 and others.',
    net: (kind: string) => `ControlNet for ${kind}`,
    automatic: 'The first that fits',
    unfit: (title: string) => `${title} (does not fit)`,
    remove: (kind: string) => `Remove ${kind}`,
    strength: 'Strength',
    strengthOf: (kind: string) => `Strength of ${kind}`,
    from: 'From, % of the steps',
    to: 'to',
    fromOf: (kind: string) => `First step of ${kind}, percent`,
    toOf: (kind: string) => `Last step of ${kind}, percent`,
    guess: 'Guess',
    guessHint: 'The picture says more than your description, which may even be empty of detail.',
    picture: (kind: string) => `What the ControlNet is shown: ${kind}`,
    frame: 'Frame whose picture is shown',
    faults: {
      none: (kind: string, family: string | null) =>
        family === null ? `No ControlNet for ${kind} was found.` : `No ControlNet for ${kind} and ${family} was found.`,
      gone: 'The background app does not have it any more.',
      otherFamily: (family: string, wanted: string) => `It is for ${family}; the chosen model is ${wanted}.`,
    },
  },
};
