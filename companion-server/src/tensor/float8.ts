// Eight-bit floating-point numbers, as checkpoints store them (arXiv 2209.05433). Every value fits into half precision, so
// that widening is exact. Imports nothing.

/** e4m3: 4 bits of exponent, 3 of fraction, no infinities. e5m2: the upper half of a float16. */
export type Float8Format = 'e4m3' | 'e5m2';

const tables: Partial<Record<Float8Format, Float32Array>> = {};

/**
 * Widens bit patterns to float32.
 * @param target written from its start and returned; made when absent. At least as long as `source`.
 */
export function float8ToFloat32(
  format: Float8Format,
  source: Uint8Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const table = (tables[format] ??= buildTable(format));
  for (let i = 0; i < source.length; i++) target[i] = table[source[i] as number] as number;
  return target;
}

function buildTable(format: Float8Format): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pattern) => {
    const sign = pattern < 128 ? 1 : -1;
    return sign * (format === 'e4m3' ? valueOfE4m3(pattern & 127) : valueOfE5m2(pattern & 127));
  });
}

/** Of seven bits without the sign. The largest pattern is the only NaN. */
function valueOfE4m3(bits: number): number {
  const [exponent, fraction] = [bits >> 3, (bits & 7) / 8];
  if (bits === 127) return NaN;
  return exponent === 0 ? fraction * 2 ** -6 : (1 + fraction) * 2 ** (exponent - 7);
}

function valueOfE5m2(bits: number): number {
  const [exponent, fraction] = [bits >> 2, (bits & 3) / 4];
  if (exponent === 31) return fraction === 0 ? Infinity : NaN;
  return exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
}
