// Where an edit may change a clip: drawn shapes, a matte in a file, or what words of the source prompt name.

import {
  count,
  flag,
  hex,
  integer,
  list,
  number,
  object,
  oneOf,
  optional,
  text,
  where,
  withDefault,
} from './fields.ts';
import type { Complaint, Infer } from './fields.ts';

export const shapeKinds = ['rectangle', 'ellipse', 'polygon', 'brush'] as const;
export type ShapeKind = (typeof shapeKinds)[number];

/** What in a matte counts: how bright it is, or its alpha. */
export const matteChannels = ['luma', 'alpha'] as const;
export type MatteChannel = (typeof matteChannels)[number];

/** Frames that are drawn on, shapes on one of them, and points of all shapes of a mask: a mask fits a control message. */
export const maskLimits = { frames: 16, shapes: 256, points: 2_000 } as const;
/** Characters of a mask's words. */
export const maxMaskWords = 200;
/** Pixels of the clip. */
export const maxFeather = 500;
export const growRange = { min: -500, max: 500 } as const;

/** Least number of points of each kind; rectangle and ellipse have exactly as many. */
const leastPoints = { rectangle: 2, ellipse: 2, polygon: 3, brush: 1 } as const satisfies Record<ShapeKind, number>;

/** Points outside the picture belong to shapes that reach beyond it. */
const coordinate = number(-1, 2);

const shape = where(
  object({
    kind: oneOf(shapeKinds),
    /**
     * x, y, x, y, ... in shares of the picture's width and height, from its upper left corner. A rectangle has two opposite
     * corners, an ellipse those of the rectangle around it, a polygon its corners (even-odd where it crosses itself), a brush
     * the places it went through.
     */
    points: list(coordinate, 2 * maskLimits.points, 'numbers'),
    /** Of a brush, in shares of the picture's height. */
    radius: optional(number(0.0005, 1)),
    /** Takes away from the shapes before it. */
    erases: withDefault(flag, false),
  }),
  ({ kind, points, radius }): Complaint | undefined => {
    const least = leastPoints[kind];
    const isExact = kind === 'rectangle' || kind === 'ellipse';
    if (points.length % 2 !== 0 || points.length < 2 * least || (isExact && points.length !== 2 * least)) {
      const rule = `${isExact ? 'exactly' : 'at least'} ${2 * least} numbers, two for each point of a ${kind}`;
      return { at: ['points'], text: `must have ${rule}, got ${points.length}.` };
    }
    if ((radius !== undefined) === (kind === 'brush')) return undefined;
    const rule =
      kind === 'brush' ? 'must be given for a brush, got nothing.' : `belongs to a brush, not to this ${kind}.`;
    return { at: ['radius'], text: rule };
  },
);
export type MaskShape = Infer<typeof shape>;

const drawing = object({
  /** Counted from the clip's first frame. */
  frame: count,
  /** In their order. An empty list says that there is nothing to edit on this frame. */
  shapes: list(shape, maskLimits.shapes),
});
export type MaskDrawing = Infer<typeof drawing>;

const matte = object({
  /** Of the matte's file, which the client has uploaded like a clip. */
  sha256: hex(64),
  channel: oneOf(matteChannels),
  /** Of a matte of one picture: the frame of the clip that it belongs to. */
  frame: withDefault(count, 0),
});
export type MaskMatte = Infer<typeof matte>;

/** One of `drawn`, `matte` and `words` says where. */
export const maskSettings = where(
  object({
    drawn: optional(list(drawing, maskLimits.frames)),
    matte: optional(matte),
    /** What to edit, in words that follow each other in the source prompt. */
    words: optional(text({ min: 1, max: maxMaskWords })),
    /**
     * Whether a mask of single frames goes with what it covers, along the clip's correspondences. Otherwise the last one
     * before a frame holds, where it was drawn.
     */
    follows: withDefault(flag, true),
    /** The edit may change everything else. Done before `grow` and `feather`. */
    invert: withDefault(flag, false),
    /** Pixels of the clip by which the edge moves outwards; negative for inwards. */
    grow: withDefault(integer(growRange.min, growRange.max), 0),
    /** Pixels of the clip over which the edge fades, on either side of it. */
    feather: withDefault(integer(0, maxFeather), 0),
    /** The result is the edit with the mask as its alpha, to lie above the clip. Needs a codec that keeps alpha. */
    asAlpha: withDefault(flag, false),
  }),
  ({ drawn, matte: given, words }): Complaint | string | undefined => {
    const sources = [drawn, given, words].filter((source) => source !== undefined);
    if (sources.length !== 1) {
      return `must have one of drawn, matte and words, got ${sources.length === 0 ? 'none' : sources.length}.`;
    }
    return drawn === undefined ? undefined : complainAboutDrawings(drawn);
  },
);
export type MaskSettings = Infer<typeof maskSettings>;

function complainAboutDrawings(drawn: readonly MaskDrawing[]): Complaint | undefined {
  if (drawn.length === 0) return { at: ['drawn'], text: 'must have at least one frame, got none.' };
  const twice = drawn.findIndex(({ frame }, i) => drawn.findIndex((one) => one.frame === frame) !== i);
  if (twice !== -1) {
    return { at: ['drawn', twice, 'frame'], text: `must not be given twice, got ${drawn[twice]?.frame ?? 0}.` };
  }
  const numbers = drawn.flatMap(({ shapes }) => shapes).reduce((sum, { points }) => sum + points.length, 0);
  if (numbers <= 2 * maskLimits.points) return undefined;
  return { at: ['drawn'], text: `must have at most ${maskLimits.points} points in all, got ${numbers / 2}.` };
}

/** Whether `words` follow each other in the prompt, whatever their case and what stands between them. */
export function hasWords(prompt: string, words: string): boolean {
  const [all, wanted] = [wordsOf(prompt), wordsOf(words)];
  return wanted.length > 0 && all.some((_, start) => wanted.every((word, i) => all[start + i] === word));
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
