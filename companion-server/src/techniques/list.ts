// All techniques. The name that users see is in protocol/techniques.ts.

import { EditError } from '../errors.ts';
import { none } from './none.ts';
import { plugAndPlay } from './plug-and-play.ts';
import { sdedit } from './sdedit.ts';
import type { Technique } from './technique.ts';

export const techniques: readonly Technique[] = [plugAndPlay, sdedit, none];

/** Throws EditError('invalid-request') where there is no such technique. */
export function techniqueNamed(name: string, among: readonly Technique[] = techniques): Technique {
  const found = among.find((technique) => technique.name === name);
  if (found !== undefined) return found;
  const names = among.map((technique) => technique.name).join(', ');
  throw new EditError('invalid-request', `There is no technique "${name}"; there are ${names}.`);
}
