// A LoRA as an edit names it: a small file that changes a model, by a name that the server knows.

import { list, number, object, text, type Infer } from './fields.ts';
import { loraStrengthRange, maxLoras } from './limits.ts';

const loraChoice = object({
  /** Of a LoRA that the server has; it never contains a path. */
  name: text({ min: 1, max: 200 }),
  /** 0: not at all; 1: as it was trained; negative: its opposite. */
  strength: number(loraStrengthRange.min, loraStrengthRange.max),
});
export type LoraChoice = Infer<typeof loraChoice>;

/** In the order in which they are merged into the model. */
export const loraChoices = list(loraChoice, maxLoras);
