// A mask that is given on one frame.

import type { Coverage } from '../../mask/coverage.ts';
import type { Size } from '../../media/frame.ts';

/** A mask on one frame of the clip. */
export interface GivenMask {
  /** Counted from the clip's first frame. */
  readonly frame: number;
  /** At any size. */
  readonly draw: (size: Size) => Promise<Coverage>;
}
