import type { Tensor } from './tensor.ts';

/** Whether every value is a number and none is infinite. */
export function isAllFinite({ data }: Tensor): boolean {
  return data.every((value) => Number.isFinite(value));
}
