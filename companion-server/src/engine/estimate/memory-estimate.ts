// How much memory an edit takes at its peak, from the shapes of its graphs and the size of the weights, before any of
// them is loaded.

import type { ModelOutline } from '../../families/family.ts';
import { buildPassGraph } from '../../nets/pass-graph.ts';
import { framesAtOnce, plainPass, type Pass } from '../../nets/pass.ts';
import type { GraphOptions } from '../../onnx/builder.ts';
import type { Execution } from '../../onnx/execution.ts';
import type { FloatType, Graph } from '../../onnx/graph.ts';
import { peakActivationBytes, valueBytes, type DimSizes } from '../../onnx/graph-memory.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { withoutFiles, type StoredTensors } from '../../tensor/stored-tensor.ts';
import { frameInversionPass, keyframeInversionPass, samplingPasses } from '../../tokenflow/step-passes.ts';
import { controlBytes } from './control-memory.ts';
import type { ControlOutline } from '../model/controlnets.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import { injectionOf } from '../plan/edit-passes.ts';
import type { TensorSource } from '../../weights/tensor-source.ts';
import { vaeFloat } from '../model/vae-float.ts';
import type { EditPlan } from '../plan/edit-plan.ts';

/** Node.js, ONNX Runtime and this program. */
const baseBytes = 300e6;
/**
 * What a graph takes to what its values take: operators work in memory of their own, and what is freed is not given back
 * at once. With the embedded model on the CPU, 24 frames, estimates are 0.93 to 1.31 of what was measured:
 * 410 for 398 MiB at 64 x 64 pixels, 784 for 842 at 192 x 192, 1065 for 811 at 320 x 320.
 */
const workspaceFactor = 2.4;
/** Sets of keyframe tokens that are held at once: of two joint passes, and the part that is handed on. */
const tokenSets = 3;

/** Bytes of the system's memory on the CPU; on another device what the device takes, its base included. */
export function estimatePeakMemory(
  model: ModelOutline,
  plan: EditPlan,
  settings: ChosenSettings,
  { float, fused }: Pick<Execution, 'float' | 'fused'>,
  controls: readonly ControlOutline[] = [],
): number {
  const { latentSize, chunkSize, vaeChunkSize } = plan;
  const weightsOf = (name: 'unet' | 'vae', dtype: FloatType): GraphOptions => ({
    name,
    weights: converted(model.weights[name], dtype),
    float: dtype,
    fused,
  });
  const unet = weightsOf('unet', float);
  const floatOfVae = vaeFloat(model.vae, float);
  const vae = weightsOf('vae', floatOfVae);
  const frames = Math.min(plan.frameCount, chunkSize);
  const vaeSizes = { frames: Math.min(plan.frameCount, vaeChunkSize) };
  const unetBytes = weightBytes(model.weights.unet, float);
  const vaeBytes = weightBytes(model.weights.vae, floatOfVae);
  const activations = (make: () => Graph, sizes: DimSizes): number =>
    workspaceFactor * peakActivationBytes(make(), { tokens: model.promptTokens, ...sizes });
  const stages = [
    // Each text encoder is gone before the next network is loaded.
    ...model.weights.text.map((weights) => weightBytes(weights, 'float32')),
    vaeBytes + activations(() => model.vae.buildEncoder(latentSize, vae), vaeSizes),
    vaeBytes + activations(() => model.vae.buildDecoder(latentSize, vae), vaeSizes),
    unetBytes + inversionBytes(),
    unetBytes +
      samplingBytes() +
      controlBytes({ controls, plan, settings, tokens: model.promptTokens }, { float, fused }, workspaceFactor),
  ];
  // The sessions of the UNet stay open while the VAE decodes the result; on the CPU they share what is mapped.
  return baseBytes + Math.max(...stages);

  function graphOf(pass: Pass): Graph {
    return buildPassGraph(model.unet, latentSize, pass, unet);
  }

  function inversionBytes(): number {
    if (plan.cachedTokens === null) return activations(() => graphOf(plainPass), { frames });
    const keyframes = Math.min(plan.keyframeCount, frames);
    const tokens = outputBytes(graphOf(keyframeInversionPass), { frames: keyframes });
    const sizes = { frames, keyframes, jobs: 2 * frames };
    return tokenSets * tokens + activations(() => graphOf(frameInversionPass), sizes);
  }

  /** Of the first step, in which most is injected. */
  function samplingBytes(): number {
    const { sourceMode, frameGuidance } = plan;
    const injection = injectionOf(plan.startStep, settings, plan);
    const passes = samplingPasses({ sourceMode, frameGuidance, injection, guided: true });
    const keyframes = Math.min(plan.keyframeCount, plan.extendedLimit);
    const together = Math.min(plan.frameCount, framesAtOnce(passes.frames, plan));
    const sizes = { frames: together, keyframes, jobs: 2 * together };
    const framesBytes = activations(() => graphOf(passes.frames), sizes);
    if (passes.keyframes === null) return framesBytes;
    const extended = graphOf(passes.keyframes);
    return (
      tokenSets * outputBytes(extended, { frames: keyframes }) +
      Math.max(
        activations(() => extended, { frames: keyframes }),
        framesBytes,
      )
    );
  }
}

function outputBytes({ outputs }: Graph, sizes: DimSizes): number {
  return outputs.reduce((sum, output) => sum + valueBytes(output, sizes), 0);
}

/** Weights are converted once and kept (weights/float32-copy.ts): no graph casts them. */
function converted({ tensors }: TensorSource, dtype: FloatType): StoredTensors {
  return withoutFiles(new Map([...tensors].map(([name, { dims }]) => [name, { dtype, dims }])));
}

function weightBytes({ tensors }: TensorSource, float: FloatType): number {
  const bytesPerValue = float === 'float32' ? 4 : 2;
  return [...tensors.values()].reduce((sum, { dims }) => sum + bytesPerValue * sizeOf(dims), 0);
}
