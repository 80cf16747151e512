// Dimensions that are known as numbers or as a number times named unknowns ("3*frames*1024"), with just the
// arithmetic that reshapes need. Imports nothing.

/** A product of unknowns with a factor, for instance 3 * frames. */
export interface SymbolicDim {
  readonly factor: number;
  /** Sorted names; a name may repeat. Never empty. */
  readonly symbols: readonly string[];
}

export type Dim = number | SymbolicDim;
export type Dims = readonly Dim[];

/** An unknown that is only fixed when the graph runs. */
export function symbol(name: string): SymbolicDim {
  return { factor: 1, symbols: [name] };
}

function parts(dim: Dim): SymbolicDim {
  return typeof dim === 'number' ? { factor: dim, symbols: [] } : dim;
}

function simplify(factor: number, symbols: readonly string[]): Dim {
  return symbols.length === 0 ? factor : { factor, symbols: [...symbols].sort() };
}

export function multiplyDims(...dims: Dims): Dim {
  const all = dims.map(parts);
  return simplify(
    all.reduce((product, { factor }) => product * factor, 1),
    all.flatMap(({ symbols }) => symbols),
  );
}

/** `total / part`, or undefined when it does not divide evenly. */
export function divideDims(total: Dim, part: Dim): Dim | undefined {
  const numerator = parts(total);
  const denominator = parts(part);
  const left = [...numerator.symbols];
  for (const name of denominator.symbols) {
    const at = left.indexOf(name);
    if (at < 0) return undefined;
    left.splice(at, 1);
  }
  const factor = numerator.factor / denominator.factor;
  return Number.isInteger(factor) ? simplify(factor, left) : undefined;
}

/** The sum, or undefined when the unknowns of the two differ. */
export function addDims(a: Dim, b: Dim): Dim | undefined {
  const [left, right] = [parts(a), parts(b)];
  if (left.symbols.join() !== right.symbols.join()) return undefined;
  return simplify(left.factor + right.factor, left.symbols);
}

export function equalDims(a: Dim, b: Dim): boolean {
  return formatDim(a) === formatDim(b);
}

export function formatDim(dim: Dim): string {
  const { factor, symbols } = parts(dim);
  if (symbols.length === 0) return String(factor);
  return [...(factor === 1 ? [] : [String(factor)]), ...symbols].join('*');
}

export function formatDims(dims: Dims): string {
  return `[${dims.map(formatDim).join(', ')}]`;
}
