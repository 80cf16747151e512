// All model families. The first that recognises a checkpoint has it.

import type { ModelFamily } from './family.ts';
import { sdxl } from './sdxl/family.ts';
import { stableDiffusion } from './stable-diffusion/family.ts';

export const families: readonly ModelFamily[] = [stableDiffusion, sdxl];
