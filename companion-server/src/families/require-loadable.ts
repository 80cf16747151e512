// Whether a checkpoint could be edited with, by its configs, its tokenizers, and the keys and shapes of its weights: every
// network is recorded as an edit would record it, and asks for its weights. No weight is read and nothing is run.

import { buildPassGraph } from '../nets/pass-graph.ts';
import { plainPass } from '../nets/pass.ts';
import type { GraphOptions } from '../onnx/builder.ts';
import { ShapeError, type Graph } from '../onnx/graph.ts';
import { withoutFiles } from '../tensor/stored-tensor.ts';
import { sizeOf, tensor, type Tensor } from '../tensor/tensor.ts';
import type { TensorSource } from '../weights/tensor-source.ts';
import type { FamilyCheckpoint, ModelOutline, TextNetwork } from './family.ts';
import { misfit } from './misfit.ts';

/** Throws EditError: 'model-unsupported', 'model-damaged' with the first thing that an edit would fail on. */
export async function requireLoadable(checkpoint: FamilyCheckpoint): Promise<void> {
  const outline = checkpoint.family.outline(checkpoint);
  const { unet, vae, weights, sizeMultiple: side, createConditioner } = outline;
  const conditioner = createConditioner();
  const size = { height: side / vae.latents.downscale, width: side / vae.latents.downscale };
  try {
    buildPassGraph(unet, size, plainPass, graphOptions('UNet', weights.unet));
    recordVae(outline);
    await conditioner.conditioning([''], { width: side, height: side }, (network) =>
      Promise.resolve(imagined(network)),
    );
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw misfit('model-damaged', `${checkpoint.dir}: ${error.message}`, error);
  }
}

/** Asks for every weight of the VAE. Throws ShapeError with the first that is missing or of another shape. */
export function recordVae({ vae, weights, sizeMultiple }: ModelOutline): void {
  const side = sizeMultiple / vae.latents.downscale;
  const size = { height: side, width: side };
  vae.buildEncoder(size, graphOptions('VAE encoder', weights.vae));
  vae.buildDecoder(size, graphOptions('VAE decoder', weights.vae));
}

const fused = { multiHeadAttention: true, wideValues: true, gelu: true, gemm: true, instanceNormalization: true };

/** Weights as the CPU gets them. */
function graphOptions(name: string, { tensors }: TensorSource): GraphOptions {
  const single = new Map([...tensors].map(([key, { dims }]) => [key, { dtype: 'float32', dims } as const]));
  return { name, weights: withoutFiles(single), float: 'float32', fused };
}

/** What a text encoder would return, all zeros. */
function imagined({ name, weights, build, feeds }: TextNetwork): Readonly<Record<string, Tensor>> {
  const prompts = Math.max(...Object.values(feeds).map(({ dims }) => dims[0] ?? 1));
  const graph: Graph = build(graphOptions(name, weights));
  return Object.fromEntries(
    graph.outputs.map((output) => {
      const dims = output.dims.map((dim) => (typeof dim === 'number' ? dim : prompts * dim.factor));
      return [output.name, tensor(dims, new Float32Array(sizeOf(dims)))];
    }),
  );
}
