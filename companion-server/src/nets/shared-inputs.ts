// Inputs of a pass's graph that all transformer blocks share.

import type { GraphBuilder } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Value } from '../onnx/graph.ts';

/** They are made when the first block asks for them. */
export interface SharedInputs {
  /** int32 [jobs]: the frame (within the pass) and the keyframe (within the given ones) of each search. */
  readonly searches: () => { readonly jobFrame: Value; readonly jobKeyframe: Value };
  /** int32 [frames]: the searches whose results are blended for each frame. */
  readonly blended: () => { readonly leftJob: Value; readonly rightJob: Value };
  /** float32 [frames]: share of the right keyframe, 0..1. */
  readonly rightWeight: () => Value;
}

export function sharedInputs(g: GraphBuilder): SharedInputs {
  const index = (name: string, length: string) => g.input(name, 'int32', [symbol(length)]);
  return {
    searches: once(() => ({ jobFrame: index('job_frame', 'jobs'), jobKeyframe: index('job_keyframe', 'jobs') })),
    blended: once(() => ({ leftJob: index('left_job', 'frames'), rightJob: index('right_job', 'frames') })),
    rightWeight: once(() => g.input('right_weight', 'float32', [symbol('frames')])),
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
