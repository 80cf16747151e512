// What an adapter's tensors for one module do to its weight: the kinds of adapters, each with its sizes and its arithmetic.
//
// LoRA: arXiv 2106.09685, section 4.1. LoHa: FedPara, arXiv 2108.06098, proposition 1. LoKr and Tucker forms of
// convolutions: LyCORIS, arXiv 2309.14859, section 3. DoRA: arXiv 2402.09353, equation 5 (decompose.ts).

import { sizeOf, type Tensor } from '../../tensor/tensor.ts';
import { kroneckerProduct, transposed, tuckerProduct, type Multiply } from './products.ts';
import type { Slot } from './slots.ts';

export type ChangeKind = 'lora' | 'loha' | 'lokr' | 'difference' | 'norm';

/** The dims of a module's tensors in an adapter's file. */
export type SlotDims = ReadonlyMap<Slot, readonly number[]>;

/** A change of one weight or bias. */
export interface Change {
  readonly kind: ChangeKind;
  readonly of: 'weight' | 'bias';
  /** What it is computed from. */
  readonly slots: readonly Slot[];
  /** Size of the first axis of the weight that it fits, and of all others together. */
  readonly rows: number;
  readonly columns: number;
  /** By which the alpha is divided; null where no factor has a rank, and no alpha counts. */
  readonly rank: number | null;
  /** The change before any scale: rows * columns values. */
  compute(tensors: ReadonlyMap<Slot, Tensor>, multiply: Multiply): Promise<Float32Array>;
}

/** The changes that the tensors of a module describe. Tensors that make no whole change are in none. */
export function changesOf(dims: SlotDims): readonly Change[] {
  return [lowRank, hadamard, kronecker, plain].flatMap((make) => make(dims));
}

function lowRank(dims: SlotDims): readonly Change[] {
  const [up, down, mid] = [dims.get('up'), dims.get('down'), dims.get('mid')];
  if (up === undefined || down === undefined) return [];
  const [rows = 0] = up;
  const [rank = 0] = down;
  const width = sizeOf(down) / Math.max(1, rank);
  const [outRank = 0, inRank = 0] = mid ?? [];
  if (mid === undefined ? sizeOf(up) !== rows * rank : sizeOf(up) !== rows * outRank || inRank !== rank) return [];
  const kernel = mid === undefined ? 1 : sizeOf(mid) / (outRank * inRank);
  return [
    {
      kind: 'lora',
      of: 'weight',
      slots: mid === undefined ? ['up', 'down'] : ['up', 'down', 'mid'],
      rows,
      columns: width * kernel,
      rank,
      compute(tensors, multiply) {
        const [left, right] = [valuesOf(tensors, 'up'), valuesOf(tensors, 'down')];
        if (mid === undefined) return multiply(left, right, { rows, inner: rank, columns: width });
        const size = { out: rows, outRank, inRank, in: width, kernel };
        return tuckerProduct(left, valuesOf(tensors, 'mid'), right, size, multiply);
      },
    },
  ];
}

function hadamard(dims: SlotDims): readonly Change[] {
  const halves = (['1', '2'] as const).map((which) => hadamardHalf(dims, which));
  const [first, second] = halves;
  if (first == null || second == null) return [];
  if (first.rows !== second.rows || first.columns !== second.columns) return [];
  return [
    {
      kind: 'loha',
      of: 'weight',
      slots: [...first.slots, ...second.slots],
      rows: first.rows,
      columns: first.columns,
      rank: first.rank,
      async compute(tensors, multiply) {
        const product = await first.compute(tensors, multiply);
        const factors = await second.compute(tensors, multiply);
        for (let i = 0; i < product.length; i++) product[i] = (product[i] as number) * (factors[i] as number);
        return product;
      },
    },
  ];
}

type Factor = Omit<Change, 'kind' | 'of'> & { readonly rank: number };

function hadamardHalf(dims: SlotDims, which: '1' | '2'): Factor | null {
  const slots = [`hada_w${which}_a`, `hada_w${which}_b`, `hada_t${which}`] as const;
  return factorOf(dims, ...slots);
}

/** a [out, r] times b [r, in * kernel]; with a core [r, r, kernel], a is [r, out] and b [r, in]. */
function factorOf(dims: SlotDims, a: Slot, b: Slot, core?: Slot): Factor | null {
  const [left, right] = [dims.get(a), dims.get(b)];
  const middle = core === undefined ? undefined : dims.get(core);
  if (left === undefined || right === undefined) return null;
  const [rank = 0] = right;
  const width = sizeOf(right) / Math.max(1, rank);
  if (core === undefined || middle === undefined) {
    const [rows = 0] = left;
    if (sizeOf(left) !== rows * rank) return null;
    return {
      slots: [a, b],
      rows,
      columns: width,
      rank,
      compute: (tensors, multiply) =>
        multiply(valuesOf(tensors, a), valuesOf(tensors, b), { rows, inner: rank, columns: width }),
    };
  }
  const [outRank = 0, inRank = 0] = middle;
  const [leftRank = 0, rows = 0] = left;
  if (leftRank !== outRank || inRank !== rank || sizeOf(left) !== leftRank * rows) return null;
  const kernel = sizeOf(middle) / (outRank * inRank);
  const size = { out: rows, outRank, inRank, in: width, kernel };
  return {
    slots: [a, b, core],
    rows,
    columns: width * kernel,
    rank,
    compute: (tensors, multiply) =>
      tuckerProduct(
        transposed(valuesOf(tensors, a), outRank, rows),
        valuesOf(tensors, core),
        valuesOf(tensors, b),
        size,
        multiply,
      ),
  };
}

function kronecker(dims: SlotDims): readonly Change[] {
  const first = wholeFactor(dims, 'lokr_w1') ?? factorOf(dims, 'lokr_w1_a', 'lokr_w1_b');
  const second = wholeFactor(dims, 'lokr_w2') ?? factorOf(dims, 'lokr_w2_a', 'lokr_w2_b', 'lokr_t2');
  if (first === null || second === null) return [];
  return [
    {
      kind: 'lokr',
      of: 'weight',
      slots: [...first.slots, ...second.slots],
      rows: first.rows * second.rows,
      columns: first.columns * second.columns,
      // Two whole factors have no rank, and their alpha means nothing.
      rank: second.rank ?? first.rank,
      async compute(tensors, multiply) {
        const [a, b] = [await first.compute(tensors, multiply), await second.compute(tensors, multiply)];
        return kroneckerProduct(a, [first.rows, first.columns], b, [second.rows, second.columns]);
      },
    },
  ];
}

function wholeFactor(dims: SlotDims, slot: Slot): Omit<Change, 'kind' | 'of'> | null {
  const shape = dims.get(slot);
  if (shape === undefined) return null;
  const [rows = 0] = shape;
  return {
    slots: [slot],
    rows,
    columns: sizeOf(shape) / Math.max(1, rows),
    rank: null,
    compute: (tensors) => Promise.resolve(valuesOf(tensors, slot)),
  };
}

/** Differences that are stored whole. */
function plain(dims: SlotDims): readonly Change[] {
  const made = [
    ['diff', 'difference', 'weight'],
    ['diff_b', 'difference', 'bias'],
    ['w_norm', 'norm', 'weight'],
    ['b_norm', 'norm', 'bias'],
  ] as const;
  return made.flatMap(([slot, kind, of]) => {
    const whole = wholeFactor(dims, slot);
    return whole === null ? [] : [{ ...whole, kind, of }];
  });
}

function valuesOf(tensors: ReadonlyMap<Slot, Tensor>, slot: Slot): Float32Array {
  const found = tensors.get(slot);
  if (found === undefined) throw new TypeError(`The tensor ${slot} was not read.`);
  return found.data;
}
