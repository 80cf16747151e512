// The threshold that parts values best into two classes. Otsu, "A threshold selection method from gray-level histograms", IEEE
// Transactions on Systems, Man, and Cybernetics 9 (1979), equation 18.

const bins = 256;

/** Of values 0..1: those above it are the higher class. */
export function otsuThreshold(values: Float32Array): number {
  const counts = new Float64Array(bins);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor(value * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const total = counts.reduce((sum, count, bin) => sum + count * bin, 0);
  let [best, threshold] = [-1, 0];
  let [below, sumBelow] = [0, 0];
  for (let bin = 0; bin < bins - 1; bin++) {
    below += counts[bin] ?? 0;
    sumBelow += (counts[bin] ?? 0) * bin;
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const distance = sumBelow / below - (total - sumBelow) / above;
    const variance = below * above * distance ** 2;
    if (variance <= best) continue;
    [best, threshold] = [variance, (bin + 1) / bins];
  }
  return threshold;
}
