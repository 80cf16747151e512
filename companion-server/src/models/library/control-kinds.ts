// What a ControlNet is shown. What a file does not say its name does: those of lllyasviel, xinsir and others are called after
// it.

import { madeControlKinds, type ControlKind, type MadeControlKind } from '../../../../protocol/control.ts';

const names: Readonly<Record<MadeControlKind, RegExp>> = {
  canny: /canny/i,
  lineart: /line[-_ ]?art/i,
  scribble: /scribble|sketch/i,
  luma: /luma|luminance|bright|gr[ae]y/i,
  tile: /tile|blur/i,
};

/** Whether a ControlNet of this name is shown such pictures. */
export function isForKind(name: string, kind: ControlKind): boolean {
  return kind !== 'own' && names[kind].test(name);
}

/** The kinds for which a ControlNet of this name is taken. */
export function kindsOf(name: string): readonly MadeControlKind[] {
  return madeControlKinds.filter((kind) => isForKind(name, kind));
}
