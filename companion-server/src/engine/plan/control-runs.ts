// What the ControlNets of an edit compute, as counts: estimates of time and memory are made of it.

import type { ControlledFrames } from '../../../../protocol/control.ts';
import { editBranchesOf } from '../../nets/pass.ts';
import { controlsTargetOnly, takesPartAt, type ControlOutline } from '../model/controlnets.ts';
import type { ChosenSettings } from './edit-defaults.ts';
import { plannedStep } from './edit-passes.ts';
import type { EditPlan } from './edit-plan.ts';

/** All that one ControlNet computes with so many branches. */
export interface ControlRun {
  readonly net: ControlOutline;
  readonly branches: number;
  /** Of all sampling steps together. */
  readonly frames: number;
}

/** @param keyframeCounts as of `plannedPasses` */
export function controlRuns(
  nets: readonly ControlOutline[],
  plan: EditPlan,
  settings: ChosenSettings,
  keyframeCounts: readonly number[] = [plan.keyframeCount],
): readonly ControlRun[] {
  const { steps, controlledFrames = 'keyframes' } = settings;
  return nets.flatMap((net) => {
    const isTargetOnly = controlsTargetOnly(net.strength, net.network);
    const frames = new Map<number, number>();
    for (let step = plan.startStep; step < steps; step++) {
      if (!takesPartAt(step, steps, net.strength)) continue;
      for (const { pass, frames: count } of controlledIn(step, plan, settings, controlledFrames, keyframeCounts)) {
        const branches = isTargetOnly ? 1 : editBranchesOf(pass).length;
        frames.set(branches, (frames.get(branches) ?? 0) + count);
      }
    }
    return [...frames].map(([branches, count]) => ({ net, branches, frames: count }));
  });
}

function controlledIn(
  step: number,
  plan: EditPlan,
  settings: ChosenSettings,
  which: ControlledFrames,
  keyframeCounts: readonly number[],
) {
  const { together, others } = plannedStep(step, plan, settings, keyframeCounts);
  const isForAll = which === 'all' || together.length === 0;
  return isForAll ? [...together, others] : together;
}
