// Half-precision numbers, whole arrays at a time: IEEE 754 binary16 and bfloat16, as checkpoints store them.
// Everything is done on bit patterns, so subnormals, infinities and NaN payloads come through. Imports nothing.

/** binary16 bit pattern -> binary32 bit pattern, for all 65,536 patterns (256 KiB). */
const float32BitsOfHalf: Uint32Array = buildTable();

/**
 * Widens float16 bit patterns to float32; exact for every pattern.
 * @param target written from its start and returned; made when absent. At least as long as `source`.
 */
export function float16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const bits = bitsOf(target, source.length);
  for (let i = 0; i < source.length; i++) bits[i] = float32BitsOfHalf[source[i] as number] as number;
  return target;
}

/**
 * Widens bfloat16 bit patterns to float32; exact, because a bfloat16 is the upper half of a float32.
 * @param target written from its start and returned; made when absent. At least as long as `source`.
 */
export function bfloat16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const bits = bitsOf(target, source.length);
  for (let i = 0; i < source.length; i++) bits[i] = (source[i] as number) << 16;
  return target;
}

/**
 * Rounds float32 values to float16 bit patterns: to nearest, ties to even. Values from 65520 up become
 * infinity, NaN stays NaN.
 */
export function float32ToFloat16(source: Float32Array): Uint16Array {
  const bits = bitsOf(source, source.length);
  const target = new Uint16Array(source.length);
  for (let i = 0; i < bits.length; i++) target[i] = halfBits(bits[i] as number);
  return target;
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff); // NaN, made quiet
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and more: nearer to infinity than to 65504
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000; // exponent bias 127 -> 15
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign; // less than half of the smallest subnormal, 2^-24
  // A subnormal is a whole number of units of 2^-24.
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const units = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (units + (rest > half || (rest === half && (units & 1) === 1) ? 1 : 0));
}

function buildTable(): Uint32Array {
  const table = new Uint32Array(0x10000);
  const value = new Float32Array(1);
  const valueBits = new Uint32Array(value.buffer);
  for (let half = 0; half < table.length; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      value[0] = fraction * 2 ** -24;
      table[half] = sign | (valueBits[0] as number);
    } else {
      table[half] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
    }
  }
  return table;
}

function bitsOf(values: Float32Array, length: number): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, length);
}
