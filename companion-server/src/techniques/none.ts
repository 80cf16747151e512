// Of the source only the motion is kept, along which tokens are propagated.

import type { Technique } from './technique.ts';

export const none: Technique = { name: 'none' };
