import { describe, expect, it } from 'vitest';
import { tensor } from '../../tensor/tensor.ts';
import { GraphBuilder } from '../../onnx/builder.ts';
import { symbol } from '../../onnx/dims.ts';
import * as ops from '../../onnx/ops.ts';
import type { Session } from '../../onnx/session.ts';
import { steadyBatch } from './fixed-batch-size.ts';

/** `latents` and `rows` are counted by frame, `tokens` by keyframe. */
function makeGraph() {
  const g = new GraphBuilder({ name: 'test', weights: new Map(), float: 'float32', fused: { ...none } });
  const latents = g.input('latents', 'float32', [symbol('frames'), 2]);
  const tokens = g.input('tokens', 'float32', [symbol('keyframes'), 1]);
  const rows = g.input('rows', 'int32', [symbol('frames')]);
  g.output('prediction', ops.add(g, latents, ops.gather(g, latents, rows, 0)));
  g.output('kept', ops.add(g, tokens, tokens));
  return g.finish();
}

const none = { multiHeadAttention: false, wideValues: false, gelu: false, gemm: false, instanceNormalization: false };

/** Doubles what it gets, and remembers it. */
function recordingSession() {
  const seen: Record<string, readonly number[]>[] = [];
  const session: Session = {
    run: ({ latents, tokens, rows }) => {
      if (latents === undefined || tokens === undefined || rows === undefined)
        throw new TypeError('An input is missing.');
      seen.push({ latents: [...latents.data], rows: [...rows.data] });
      const doubled = (values: ArrayLike<number>) => Float32Array.from(values, (value) => 2 * value);
      return Promise.resolve({
        prediction: tensor(latents.dims, doubled(latents.data)),
        kept: tensor(tokens.dims, doubled(tokens.data)),
      });
    },
    release: () => Promise.resolve(),
  };
  return { session, seen };
}

function feeds(values: readonly number[]) {
  const count = values.length / 2;
  return {
    latents: tensor([count, 2], Float32Array.from(values)),
    tokens: tensor([3, 1], Float32Array.of(7, 8, 9)),
    rows: { dims: [count], data: Int32Array.from({ length: count }, (_, i) => i) },
  };
}

describe('a session that keeps its batch', () => {
  it('fills smaller runs up with their last frame, and drops what comes of it', async () => {
    const { session, seen } = recordingSession();
    const steady = steadyBatch(session, makeGraph());
    await steady.run(feeds([1, 2, 3, 4, 5, 6]));
    const { prediction, kept } = await steady.run(feeds([1, 2]));
    expect(seen[1]).toEqual({ latents: [1, 2, 1, 2, 1, 2], rows: [0, 0, 0] });
    expect(prediction).toEqual({ dims: [1, 2], data: Float32Array.of(2, 4) });
    expect(kept, 'not counted by frame').toEqual({ dims: [3, 1], data: Float32Array.of(14, 16, 18) });
  });

  it('changes its batch only to a larger one', async () => {
    const { session, seen } = recordingSession();
    const steady = steadyBatch(session, makeGraph());
    for (const count of [2, 1, 3, 2, 1, 3]) await steady.run(feeds(Array.from({ length: 2 * count }, (_, i) => i)));
    expect(seen.map(({ rows }) => rows?.length)).toEqual([2, 2, 3, 3, 3, 3]);
  });
});
