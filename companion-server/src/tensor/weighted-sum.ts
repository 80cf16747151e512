import { tensor, type Tensor } from './tensor.ts';

/** weightA * a + weightB * b, element by element. Throws RangeError when their dims differ. */
export function weightedSum(weightA: number, a: Tensor, weightB: number, b: Tensor): Tensor {
  if (a.dims.join() !== b.dims.join()) {
    throw new RangeError(`A weighted sum's dims [${a.dims.join(', ')}] and [${b.dims.join(', ')}] must be equal.`);
  }
  const sum = tensor(a.dims);
  for (let i = 0; i < sum.data.length; i++) {
    sum.data[i] = weightA * (a.data[i] as number) + weightB * (b.data[i] as number);
  }
  return sum;
}
