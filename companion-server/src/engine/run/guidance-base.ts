// What guidance leads away from, as the network is told it.

import type { GuidanceBase } from '../../../../protocol/edit-settings.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import { weightedSum } from '../../tensor/weighted-sum.ts';

/**
 * The conditioning of the branch that guidance subtracts. With the source prompt's, a prompt that says what the source
 * prompt says is not guided at all, at any scale.
 */
export function guidanceBase(
  by: GuidanceBase,
  { source, negative }: { readonly source: Conditioning; readonly negative: Conditioning },
): Conditioning {
  switch (by) {
    case 'negative':
      return negative;
    case 'source':
      return source;
    case 'both':
      return {
        ...source,
        tokens: weightedSum(0.5, source.tokens, 0.5, negative.tokens),
        ...(source.pooled === undefined || negative.pooled === undefined
          ? {}
          : { pooled: weightedSum(0.5, source.pooled, 0.5, negative.pooled) }),
      };
  }
}
