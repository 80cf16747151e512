// How much memory the ControlNets of an edit take: weights that stay loaded, the values of their graphs, and what they hand
// to the UNet.

import type { GraphOptions } from '../../onnx/builder.ts';
import type { FloatType } from '../../onnx/graph.ts';
import { peakActivationBytes, valueBytes } from '../../onnx/graph-memory.ts';
import { withoutFiles } from '../../tensor/stored-tensor.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import type { ControlOutline } from '../model/controlnets.ts';
import { controlRuns } from '../plan/control-runs.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditPlan } from '../plan/edit-plan.ts';

export interface ControlledEdit {
  readonly controls: readonly ControlOutline[];
  readonly plan: EditPlan;
  readonly settings: ChosenSettings;
  readonly tokens: number;
}

/**
 * The nets run one after the other, but what a session has taken it keeps: their values are summed.
 * @param workspaceFactor what a graph takes to what its values take
 */
export function controlBytes(
  { controls, plan, settings, tokens }: ControlledEdit,
  { float, fused }: Pick<GraphOptions, 'float' | 'fused'>,
  workspaceFactor: number,
): number {
  const { latentSize, chunkSize, frameCount, keyframeCount, extendedLimit } = plan;
  const together = settings.controlledFrames === 'all' ? frameCount : Math.min(keyframeCount, extendedLimit);
  return controlRuns(controls, plan, settings).reduce((sum, { net, branches }) => {
    const graph = net.network.build(branches, latentSize, {
      name: 'ControlNet',
      weights: withoutFiles(inFloat(net.tensors, float)),
      float,
      fused,
    });
    const values = peakActivationBytes(graph, { frames: Math.min(together, chunkSize), tokens });
    const residuals = graph.outputs.reduce(
      (all, output) => all + valueBytes(output, { frames: Math.min(together, keyframeCount), tokens }),
      0,
    );
    return sum + weightBytes(net.tensors, float) + workspaceFactor * values + residuals;
  }, 0);
}

function inFloat(tensors: ControlOutline['tensors'], dtype: FloatType): ControlOutline['tensors'] {
  return new Map([...tensors].map(([name, { dims }]) => [name, { dtype, dims }]));
}

function weightBytes(tensors: ControlOutline['tensors'], float: FloatType): number {
  const bytesPerValue = float === 'float32' ? 4 : 2;
  return [...tensors.values()].reduce((sum, { dims }) => sum + bytesPerValue * sizeOf(dims), 0);
}
