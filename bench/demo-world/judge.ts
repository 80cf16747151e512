// A small network that names what a picture of the demo world shows and where the object is. It was trained on
// rendered scenes, apart from the model that it judges: models/demo/train/judge.py has the network in Python.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { SampleContent } from '../../companion-server/src/demo/samples.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { frameToTensor } from '../../companion-server/src/media/pixels.ts';
import { GraphBuilder } from '../../companion-server/src/onnx/builder.ts';
import { symbol } from '../../companion-server/src/onnx/dims.ts';
import type { Graph, Value } from '../../companion-server/src/onnx/graph.ts';
import * as ops from '../../companion-server/src/onnx/ops.ts';
import { plainExecution } from '../../companion-server/src/onnx/execution.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import type { StoredTensors } from '../../companion-server/src/tensor/stored-tensor.ts';
import { concatRows } from '../../companion-server/src/tensor/tensor.ts';
import { openSafetensors, storedTensors } from '../../companion-server/src/weights/safetensors.ts';
import { hueError, objectHue } from './hue.ts';

/** Pixels of a picture's edge, and of a cell of the mask that the network draws. */
const edge = 128;
const cell = 4;
const picturesPerForward = 16;

/** What a picture shows. */
export interface Verdict extends SampleContent {
  /** The hue measured inside the mask, and the colour whose reference is nearest: the rule of the colour gates. */
  readonly hueDegrees: number;
  readonly hueLook: string;
  /** [128 * 128] 1 on the object. */
  readonly mask: Uint8Array;
}

export interface Judge {
  /** Judges pictures of 128x128 pixels. */
  look(frames: readonly Rgb24Frame[]): Promise<readonly Verdict[]>;
  release(): Promise<void>;
}

/** Made by this project, beside the weights: trusted like code. */
interface JudgeConfig {
  readonly heads: Readonly<Record<keyof SampleContent, readonly string[]>>;
  /** One per colour, in their order. */
  readonly reference_hues_degrees: readonly number[];
}

/** Opens the judge in the folder `dir`. Throws EditError when the weights are missing or damaged. */
export async function openJudge(dir: string): Promise<Judge> {
  const config = JSON.parse(await readFile(path.join(dir, 'config.json'), 'utf8')) as JudgeConfig;
  const weights = storedTensors(await openSafetensors(path.join(dir, 'model.safetensors')));
  const words = Object.values(config.heads).flat().length;
  const session = await createSession(buildJudge(weights, words), { provider: 'cpu' });
  return {
    async look(frames) {
      const verdicts: Verdict[] = [];
      for (let start = 0; start < frames.length; start += picturesPerForward) {
        const some = frames.slice(start, start + picturesPerForward);
        const { logits, mask } = await session.run({ pictures: concatRows(some.map(frameToTensor)) });
        if (logits === undefined || mask === undefined) throw new TypeError('The judge is silent.');
        for (const [i, frame] of some.entries()) {
          const cells = (edge / cell) ** 2;
          verdicts.push(
            decide(
              frame,
              logits.data.subarray(i * words, (i + 1) * words),
              mask.data.subarray(i * cells, (i + 1) * cells),
              config,
            ),
          );
        }
      }
      return verdicts;
    },
    release: () => session.release(),
  };
}

/** pictures [N, 3, 128, 128] in -1..1 -> logits of all heads side by side [N, words], mask [N, 1, 32, 32] in 0..1 */
function buildJudge(weights: StoredTensors, words: number): Graph {
  const { float, fused } = plainExecution('cpu');
  const g = new GraphBuilder({ name: 'judge', weights, float, fused });
  const conv = (name: string, x: Value, inputs: number, outputs: number, stride: 1 | 2 = 1) =>
    ops.conv(g, x, g.weight(`${name}.weight`, [outputs, inputs, 3, 3]), g.weight(`${name}.bias`, [outputs]), {
      stride,
    });
  const relu = (x: Value) => g.op({ op: 'Relu', inputs: [x], outputs: [{ dtype: x.dtype, dims: x.dims }] });
  const meanOf = (x: Value) =>
    g.op({
      op: 'GlobalAveragePool',
      inputs: [x],
      outputs: [{ dtype: x.dtype, dims: [...x.dims.slice(0, 2), 1, 1] }],
    });

  const pictures = g.input('pictures', 'float32', [symbol('pictures'), 3, edge, edge]);
  const half = relu(conv('conv1', pictures, 3, 24, 2));
  const fine = relu(conv('conv3', relu(conv('conv2', half, 24, 48, 2)), 48, 64));
  const coarser = relu(conv('conv5', relu(conv('conv4', fine, 64, 96, 2)), 96, 128, 2));
  const coarse = relu(conv('conv6', coarser, 128, 128));
  const enlarged = ops.resizeNearest2x(g, ops.resizeNearest2x(g, coarse));
  const mask = ops.sigmoid(g, conv('mask', ops.concat(g, [fine, enlarged], 1), 64 + 128, 1));
  const weight = g.op({
    op: 'AveragePool',
    inputs: [mask],
    outputs: [{ dtype: mask.dtype, dims: [symbol('pictures'), 1, 8, 8] }],
    attributes: { kernel_shape: [4, 4], strides: [4, 4] },
  });
  // sum(coarse * weight) / (sum(weight) + 0.001), with means over the 64 positions in place of sums
  const focus = ops.div(g, meanOf(ops.mul(g, coarse, weight)), ops.add(g, meanOf(weight), ops.scalar(g, 1e-3 / 64)));
  const seen = ops.reshape(g, ops.concat(g, [meanOf(coarse), focus], 1), [-1, 256]);
  const logits = ops.gemm(g, seen, g.weight('name.weight', [words, 256]), g.weight('name.bias', [words]));
  g.output('logits', logits);
  g.output('mask', mask);
  return g.finish();
}

function decide(
  frame: Rgb24Frame,
  logits: Float32Array,
  cells: Float32Array,
  { heads, reference_hues_degrees: references }: JudgeConfig,
): Verdict {
  let start = 0;
  const name = (words: readonly string[]): string => {
    const values = logits.subarray(start, (start += words.length));
    return words[values.indexOf(Math.max(...values))] ?? '';
  };
  const object = name(heads.object);
  const look = name(heads.look);
  const place = name(heads.place);
  const style = name(heads.style);
  const soft = enlargeMask(cells);
  const hueDegrees = objectHue(frame, soft);
  const errors = references.map((reference) => hueError(reference, hueDegrees));
  const hueLook = heads.look[errors.indexOf(Math.min(...errors))] ?? '';
  const mask = Uint8Array.from(soft, (value) => (value > 0.5 ? 1 : 0));
  return { object, look, place, style, hueDegrees, hueLook, mask };
}

/** [32 * 32] -> [128 * 128], bilinear between the middles of the cells, the border repeated. */
function enlargeMask(cells: Float32Array): Float32Array {
  const side = edge / cell;
  const full = new Float32Array(edge * edge);
  for (let y = 0; y < edge; y++) {
    const sy = Math.max(0, (y + 0.5) / cell - 0.5);
    const y0 = Math.floor(sy);
    const y1 = Math.min(y0 + 1, side - 1);
    for (let x = 0; x < edge; x++) {
      const sx = Math.max(0, (x + 0.5) / cell - 0.5);
      const x0 = Math.floor(sx);
      const x1 = Math.min(x0 + 1, side - 1);
      const fx = sx - x0;
      const upper = (cells[y0 * side + x0] ?? 0) * (1 - fx) + (cells[y0 * side + x1] ?? 0) * fx;
      const lower = (cells[y1 * side + x0] ?? 0) * (1 - fx) + (cells[y1 * side + x1] ?? 0) * fx;
      full[y * edge + x] = upper + (lower - upper) * (sy - y0);
    }
  }
  return full;
}

/** Overlap of two masks: intersection over union; NaN when both are empty. */
export function maskOverlap(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += a[i] === 1 && b[i] === 1 ? 1 : 0;
    either += a[i] === 1 || b[i] === 1 ? 1 : 0;
  }
  return both / either;
}
