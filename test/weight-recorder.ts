// Which weights a network has, found by building it: for networks whose weights are made up.

import { GraphBuilder, type Part } from '../companion-server/src/onnx/builder.ts';
import { preferredExecution } from '../companion-server/src/onnx/execution.ts';
import type { Value } from '../companion-server/src/onnx/graph.ts';

/** Notes which weights a network asks for. */
export class WeightRecorder extends GraphBuilder {
  readonly shapes = new Map<string, readonly number[]>();

  constructor() {
    super({ name: 'shapes', weights: new Map(), float: 'float32', fused: preferredExecution.cpu.fused });
  }

  override hasWeight(): boolean {
    return false;
  }

  override weight(key: string, dims: readonly number[]): Value {
    this.shapes.set(key, dims);
    return this.input(key, 'float32', dims);
  }

  override weightPart(key: string, dims: readonly number[], { count }: Part): Value {
    this.shapes.set(key, dims);
    const [rows = 1, ...rest] = dims;
    return this.input(key, 'float32', [rows / count, ...rest]);
  }
}
