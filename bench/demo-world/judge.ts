// A small network that names what a picture of the demo world shows and where the object is. It was trained on
// rendered scenes, apart from the model that it judges.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { SampleContent } from '../../companion-server/src/demo/samples.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { frameToTensor } from '../../companion-server/src/media/pixels.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { concatRows } from '../../companion-server/src/tensor/tensor.ts';
import { openSafetensors, storedTensors } from '../../companion-server/src/weights/safetensors.ts';
import { hueError, objectHue } from './hue.ts';
import { judgeNetworks } from './judge-networks.ts';

/** Pixels of a cell's edge of the mask that the network draws. */
const cell = 4;
const picturesPerForward = 16;

/** What a picture shows. */
export interface Verdict extends SampleContent {
  /** The hue measured inside the mask, in degrees. */
  readonly hueDegrees: number;
  /** The look that gates go by: where all looks are colours, the one whose reference hue is nearest, else the named one. */
  readonly judgedLook: string;
  /** [edge * edge] 1 on the object. */
  readonly mask: Uint8Array;
}

export interface Judge {
  /** Pixels of the edge of the pictures that it looks at. */
  readonly edge: number;
  /** Throws RangeError for a picture of another size. */
  look(frames: readonly Rgb24Frame[]): Promise<readonly Verdict[]>;
  release(): Promise<void>;
}

/** Made by this project, beside the weights: trusted like code. */
interface JudgeConfig {
  /** Pixels of a picture's edge. */
  readonly edge: number;
  /** In the order of the network's logits; a world without times of day and seasons has no such heads. */
  readonly heads: Readonly<Record<'object' | 'look' | 'place' | 'style', readonly string[]>> &
    Partial<Readonly<Record<'time' | 'season', readonly string[]>>>;
  /** One per look, in their order; left out where materials are among them. */
  readonly reference_hues_degrees?: readonly number[];
}

/** Opens the judge in the folder `dir`. Throws EditError when the weights are missing or damaged. */
export async function openJudge(dir: string): Promise<Judge> {
  const config = JSON.parse(await readFile(path.join(dir, 'config.json'), 'utf8')) as JudgeConfig;
  const weights = storedTensors(await openSafetensors(path.join(dir, 'model.safetensors')));
  const words = Object.values(config.heads).flat().length;
  const { edge } = config;
  const build = judgeNetworks[edge];
  if (build === undefined) throw new RangeError(`There is no judge of pictures of ${edge} pixels.`);
  const session = await createSession(build(weights, words), { provider: 'cpu' });
  return {
    edge,
    async look(frames) {
      const verdicts: Verdict[] = [];
      for (const { width, height } of frames) {
        if (width === edge && height === edge) continue;
        throw new RangeError(`The judge looks at pictures of ${edge} x ${edge}, got ${width} x ${height}.`);
      }
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

function decide(frame: Rgb24Frame, logits: Float32Array, cells: Float32Array, config: JudgeConfig): Verdict {
  const { edge, heads, reference_hues_degrees: references } = config;
  let start = 0;
  const named = Object.fromEntries(
    Object.entries(heads).map(([head, words]) => {
      const values = logits.subarray(start, (start += words.length));
      return [head, words[values.indexOf(Math.max(...values))] ?? ''];
    }),
  ) as unknown as SampleContent;
  const soft = enlargeMask(cells, edge);
  const hueDegrees = objectHue(frame, soft);
  const errors = references?.map((reference) => hueError(reference, hueDegrees));
  const judgedLook = errors === undefined ? named.look : (heads.look[errors.indexOf(Math.min(...errors))] ?? '');
  const mask = Uint8Array.from(soft, (value) => (value > 0.5 ? 1 : 0));
  return { ...named, hueDegrees, judgedLook, mask };
}

/** Whether a picture shows the place, style, time of day and season that it should; what the world has not, is not asked for. */
export function isPlaced(verdict: SampleContent, wanted: SampleContent): boolean {
  const isNamed = (head: 'time' | 'season'): boolean => wanted[head] === undefined || verdict[head] === wanted[head];
  return verdict.place === wanted.place && verdict.style === wanted.style && isNamed('time') && isNamed('season');
}

/** [(edge / cell)^2] -> [edge * edge], bilinear between the middles of the cells, the border repeated. */
function enlargeMask(cells: Float32Array, edge: number): Float32Array {
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
