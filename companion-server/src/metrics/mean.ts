// A mean that is gathered pair by pair.

export interface Mean {
  readonly sum: number;
  readonly count: number;
}

export const noMean: Mean = { sum: 0, count: 0 };

export function addMeans(a: Mean, b: Mean): Mean {
  return { sum: a.sum + b.sum, count: a.count + b.count };
}

/** NaN when nothing was counted. */
export function meanValue({ sum, count }: Mean): number {
  return sum / count;
}
