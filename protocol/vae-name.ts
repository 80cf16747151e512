import { text } from './fields.ts';

/** A VAE as an edit names it: by a name that the server knows; it never contains a path. */
export const vaeName = text({ min: 1, max: 200 });
