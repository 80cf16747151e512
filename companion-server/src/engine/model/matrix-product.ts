// Products of matrices by ONNX Runtime on the CPU, for what is computed on weights before a network is built.

import { GraphBuilder } from '../../onnx/builder.ts';
import { symbol } from '../../onnx/dims.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import * as ops from '../../onnx/ops.ts';
import { createSession, type Session } from '../../onnx/session.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { MatrixProducts } from '../../weights/lora/products.ts';

/** The session is made at the first product. `release` it after the last. */
export function openMatrixProducts(): MatrixProducts {
  let opened: Promise<Session> | undefined;
  return {
    async multiply(a, b, { rows, inner, columns }) {
      opened ??= openProduct();
      const session = await opened;
      const { product } = await session.run({ a: tensor([rows, inner], a), b: tensor([inner, columns], b) });
      if (product === undefined) throw new TypeError('The product returned nothing.');
      return product.data;
    },
    async release() {
      const session = await opened?.catch(() => undefined);
      await session?.release();
    },
  };
}

function openProduct(): Promise<Session> {
  const { fused } = preferredExecution.cpu;
  const g = new GraphBuilder({ name: 'matrix product', weights: new Map(), float: 'float32', fused });
  const [rows, inner, columns] = [symbol('rows'), symbol('inner'), symbol('columns')];
  const a = g.input('a', 'float32', [rows, inner]);
  const b = g.input('b', 'float32', [inner, columns]);
  g.output('product', ops.matMul(g, a, b));
  return createSession(g.finish(), { provider: 'cpu' });
}
