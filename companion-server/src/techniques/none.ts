// Nothing of the source is kept but the motion along which tokens are propagated.

import type { Technique } from './technique.ts';

export const none: Technique = { name: 'none' };
