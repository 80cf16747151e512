// The products of which adapters make a change of a weight. All matrices are row-major, float32.

/**
 * a [rows, inner] times b [inner, columns], row-major. How it is computed is handed in: the engine has faster means than
 * this module knows.
 */
export type Multiply = (
  a: Float32Array,
  b: Float32Array,
  size: { readonly rows: number; readonly inner: number; readonly columns: number },
) => Promise<Float32Array>;

/** Something that multiplies, with what it holds. `release` it after the last product. */
export interface MatrixProducts {
  readonly multiply: Multiply;
  release(): Promise<void>;
}

/** [rows, columns] -> [columns, rows] */
export function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = matrix[row * columns + column] as number;
    }
  }
  return result;
}

/** The sizes of a Tucker decomposition. */
export interface TuckerSize {
  readonly out: number;
  /** Ranks towards `out` and `in`. */
  readonly outRank: number;
  readonly inRank: number;
  readonly in: number;
  /** Values of a convolution's kernel. */
  readonly kernel: number;
}

/**
 * The weight [out, in, kernel] of a Tucker decomposition: the sum over i and j of
 * left [out, i] * core [i, j, kernel] * right [j, in].
 */
export async function tuckerProduct(
  left: Float32Array,
  core: Float32Array,
  right: Float32Array,
  size: TuckerSize,
  multiply: Multiply,
): Promise<Float32Array> {
  const { out, outRank, inRank, kernel } = size;
  const half = await multiply(left, core, { rows: out, inner: outRank, columns: inRank * kernel });
  const byPlace = swapped(half, { count: out, from: inRank, to: kernel });
  const whole = await multiply(byPlace, right, { rows: out * kernel, inner: inRank, columns: size.in });
  return swapped(whole, { count: out, from: kernel, to: size.in });
}

/** [count, from, to] -> [count, to, from] */
function swapped(
  values: Float32Array,
  { count, from, to }: { readonly count: number; readonly from: number; readonly to: number },
): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < count; i++) {
    const part = values.subarray(i * from * to, (i + 1) * from * to);
    result.set(transposed(part, from, to), i * from * to);
  }
  return result;
}

/** The Kronecker product of a [ra, ca] and b [rb, cb]: [ra * rb, ca * cb]. */
export function kroneckerProduct(
  a: Float32Array,
  [rowsOfA, columnsOfA]: readonly [number, number],
  b: Float32Array,
  [rowsOfB, columnsOfB]: readonly [number, number],
): Float32Array {
  const result = new Float32Array(a.length * b.length);
  let position = 0;
  for (let rowA = 0; rowA < rowsOfA; rowA++) {
    for (let rowB = 0; rowB < rowsOfB; rowB++) {
      for (let columnA = 0; columnA < columnsOfA; columnA++) {
        const factor = a[rowA * columnsOfA + columnA] as number;
        for (let columnB = 0; columnB < columnsOfB; columnB++) {
          result[position++] = factor * (b[rowB * columnsOfB + columnB] as number);
        }
      }
    }
  }
  return result;
}
