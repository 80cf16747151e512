// What most people never open.

import type { PanelPipeline } from '../../state/form.ts';
import type { GuidanceBase, ModelColour } from '../../../../protocol/edit-settings.ts';

export const advancedTexts = {
  advanced: {
    title: 'Advanced',
    technique: 'Technique',
    pipeline: 'Quality',
    pipelines: { fast: 'Full', draft: 'Draft' } satisfies Record<PanelPipeline, string>,
    steps: 'Steps',
    guideBy: 'Guide by',
    guideBys: { auto: 'Auto', negative: 'What to avoid', source: 'What changes', both: 'Both' } satisfies Record<
      GuidanceBase | 'auto',
      string
    >,
    guideByHint:
      'What changes: from what the clip shows now to your description, so the rest stays. It needs both texts. What to avoid: away from that text, and stronger overall.',
    guidance: 'Guidance',
    auto: 'auto',
    keyframes: 'Reference frame every',
    seed: 'Seed',
    lock: 'Lock',
    locked: 'Locked',
    lockHint: 'A locked seed is used again; otherwise each edit draws another.',
    dice: 'New seed',
    codec: 'File',
    asSequence: 'As the sequence',
    asKnownSequence: (title: string) => `${title}, as the previews of the sequence.`,
    asUnknownSequence: (title: string) => `The codec of the sequence is none of these: ${title} is written.`,
    colour: 'Model sees',
    colours: { auto: 'Auto', table: 'LUT', off: 'As stored' } satisfies Record<ModelColour, string>,
    colourHint:
      "Auto: HDR as standard range. LUT: log footage through a .cube file. The result keeps the clip's own colours.",
    pickTable: 'Choose a LUT',
    pickedTable: (name: string) => (name === '' ? 'Another LUT' : name),
    written: 'In the file',
    writesPrompt: 'Description',
    writesPromptHint: 'Writes what you typed into the file, beside the mark that it was edited by AI.',
    keepsLocation: 'Place',
    keepsLocationHint: 'Keeps where the clip was recorded, if the clip says so.',
  },
};
