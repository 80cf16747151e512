// The ControlNets of the form: which are chosen, how they take part, and why one of them cannot be used.

import type { ControlChoice, ControlKind, MadeControlKind } from '../../../protocol/control.ts';
import { controlScaleRange, maxControls } from '../../../protocol/limits.ts';
import type { ControlNetInfo } from '../../../protocol/model-info.ts';

/** What can be changed of one that was added. */
export type ControlChange = Partial<Pick<ControlChoice, 'scale' | 'start' | 'end' | 'guess'>> & {
  /** Null for the server's first that fits. */
  readonly net?: string | null;
};

/** Why a ControlNet of the form cannot be used with the chosen model. */
export type ControlFault =
  /** None for its kind and the model's family. */
  | { readonly name: 'none'; readonly family: string | null }
  /** The server does not have it any more. */
  | { readonly name: 'gone' }
  | { readonly name: 'unusable'; readonly reason: string }
  | { readonly name: 'other-family'; readonly family: string; readonly wanted: string };

/** Shares of the steps are kept in hundredths, and at least one lies between start and end. */
const shareStep = 0.01;

export function canAddControl(chosen: readonly ControlChoice[]): boolean {
  return chosen.length < maxControls;
}

export function withControl(chosen: readonly ControlChoice[], kind: MadeControlKind): readonly ControlChoice[] {
  return canAddControl(chosen) ? [...chosen, { kind, scale: 1, start: 0, end: 1, guess: false }] : chosen;
}

export function withoutControl(chosen: readonly ControlChoice[], index: number): readonly ControlChoice[] {
  return chosen.filter((_, i) => i !== index);
}

export function withControlChange(
  chosen: readonly ControlChoice[],
  index: number,
  { net, ...change }: ControlChange,
): readonly ControlChoice[] {
  return chosen.map((control, i) => {
    if (i !== index) return control;
    const { net: before, ...others } = control;
    const name = net === undefined ? before : (net ?? undefined);
    return within({ ...others, ...change, ...(name !== undefined && { net: name }) }, change.end !== undefined);
  });
}

function within(control: ControlChoice, movesStart: boolean): ControlChoice {
  const { min, max } = controlScaleRange;
  const scale = Math.min(max, Math.max(min, control.scale));
  const inSteps = (share: number): number => Math.round(share / shareStep) * shareStep;
  const start = Math.min(1 - shareStep, Math.max(0, inSteps(control.start)));
  const end = Math.min(1, Math.max(shareStep, inSteps(control.end)));
  if (end > start) return { ...control, scale, start, end };
  return movesStart
    ? { ...control, scale, start: inSteps(end - shareStep), end }
    : { ...control, scale, start, end: inSteps(start + shareStep) };
}

/** The ControlNets that the server has, and the family of the chosen model. */
export interface OfferedControls {
  /** Null while the server has not listed them. */
  readonly nets: readonly ControlNetInfo[] | null;
  /** Null when unknown. */
  readonly family: string | null;
}

/** What is wrong with a ControlNet of the form; null for nothing, or while the server has not listed them. */
export function controlFault(
  { nets, family }: OfferedControls,
  { kind, net }: Pick<ControlChoice, 'kind' | 'net'>,
): ControlFault | null {
  if (nets === null) return null;
  if (net === undefined) return hasNetFor(nets, kind, family) ? null : { name: 'none', family };
  const known = nets.find(({ name }) => name === net);
  if (known === undefined) return { name: 'gone' };
  if (known.problem !== null) return { name: 'unusable', reason: known.problem };
  if (family !== null && known.family !== null && known.family !== family) {
    return { name: 'other-family', family: known.family, wanted: family };
  }
  return null;
}

/** Whether the server finds one for a kind where none is named. */
function hasNetFor(nets: readonly ControlNetInfo[], kind: ControlKind, family: string | null): boolean {
  return nets.some(
    (net) => net.problem === null && net.kinds.includes(kind) && (family === null || net.family === family),
  );
}

/** Those to choose from: first those that fit, then those that do not. */
export function netsToChoose(offered: OfferedControls): readonly ControlNetInfo[] {
  const nets = offered.nets ?? [];
  const fits = ({ name }: ControlNetInfo): boolean => controlFault(offered, { kind: 'own', net: name }) === null;
  return [...nets.filter(fits), ...nets.filter((net) => !fits(net))];
}

/** The kinds whose pictures the form shows. */
export function shownKinds(controls: readonly ControlChoice[]): readonly MadeControlKind[] {
  return [...new Set(controls.flatMap(({ kind }) => (kind === 'own' ? [] : [kind])))];
}
