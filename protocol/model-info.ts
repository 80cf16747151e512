// A checkpoint that the server offers.

import { list, object, text, type Infer } from './fields.ts';

const modelInfo = object({
  /** The name that a job uses. */
  id: text({ min: 1, max: 200 }),
  /** For users; the id if there is no other. */
  title: text({ min: 1, max: 200 }),
  /** What it is good for, in one sentence; empty when nothing is known. */
  goodFor: text({ max: 1_000 }),
});
export type ModelInfo = Infer<typeof modelInfo>;

export const modelInfos = list(modelInfo, 1_000);
