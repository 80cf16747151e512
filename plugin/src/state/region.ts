// Where the next edit may change its clip: everywhere, in a region that is drawn on a still of the clip, or what words of the
// description of the clip name. A region belongs to the clip that it was drawn on.

import { codecInfo } from '../../../protocol/codecs.ts';
import {
  hasWords,
  maskLimits,
  maxMaskWords,
  type MaskDrawing,
  type MaskSettings,
  type MaskShape,
} from '../../../protocol/mask.ts';
import type { EditForm } from './form.ts';

export const regionKinds = ['whole', 'drawn', 'words'] as const;
export type RegionKind = (typeof regionKinds)[number];

export const regionTools = ['rectangle', 'ellipse', 'polygon', 'brush'] as const;
export type RegionTool = (typeof regionTools)[number];

/** Of the picture's height. */
export const brushRadius = 0.04;

/** A place in the picture, in shares of its sides from its upper left corner. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A frame of the clip to draw on. */
export type RegionStill =
  | { readonly name: 'none' }
  | { readonly name: 'asking' }
  | { readonly name: 'shown'; readonly clipId: string; readonly frame: number; readonly url: string }
  | { readonly name: 'failed' };

export interface Region {
  readonly kind: RegionKind;
  readonly tool: RegionTool;
  /** The next shape takes away. */
  readonly erases: boolean;
  /** Of the clip, on which the next shape is drawn. */
  readonly frame: number;
  readonly drawings: readonly MaskDrawing[];
  /** The drawings before each of the last shapes, the latest last. */
  readonly undo: readonly (readonly MaskDrawing[])[];
  /** The corners of a shape that is not finished. */
  readonly begun: readonly Place[];
  readonly words: string;
  readonly invert: boolean;
  readonly follows: boolean;
  readonly feather: number;
  /** The result has the mask as its alpha. */
  readonly asAlpha: boolean;
  readonly still: RegionStill;
}

/** What the user sets without drawing. */
export type RegionChange = Partial<
  Pick<Region, 'kind' | 'tool' | 'erases' | 'words' | 'invert' | 'follows' | 'feather' | 'asAlpha'>
>;

const maxUndo = 50;

export const wholePictureRegion: Region = {
  kind: 'whole',
  tool: 'rectangle',
  erases: false,
  frame: 0,
  drawings: [],
  undo: [],
  begun: [],
  words: '',
  invert: false,
  follows: true,
  feather: 0,
  asAlpha: false,
  still: { name: 'none' },
};

interface RegionOfForm {
  readonly region: Region;
  readonly form: Pick<EditForm, 'sourcePrompt' | 'codec'>;
}

/** The mask of the next edit; undefined where it may change everything, and while nothing is drawn or written. */
export function maskOf({ region, form }: RegionOfForm): MaskSettings | undefined {
  const { kind, drawings, words, invert, follows, feather, asAlpha } = region;
  const edge = { follows, invert, grow: 0, feather, asAlpha: asAlpha && codecInfo(form.codec).hasAlpha };
  if (kind === 'drawn' && drawings.length > 0) return { drawn: drawings, ...edge };
  if (kind === 'words' && wordsBlock({ region, form }) === null) return { words: words.trim(), ...edge };
  return undefined;
}

/** The region that makes this mask again; the whole picture for a matte, which has no control. */
export function regionOf(mask: MaskSettings | undefined, { tool }: Pick<Region, 'tool'>): Region {
  const whole = { ...wholePictureRegion, tool };
  if (mask === undefined || mask.matte !== undefined) return whole;
  const { drawn = [], words = '', invert, follows, feather, asAlpha } = mask;
  const kind = mask.words === undefined ? 'drawn' : 'words';
  return { ...whole, kind, drawings: drawn, words, frame: drawn[0]?.frame ?? 0, invert, follows, feather, asAlpha };
}

/** Why words make no mask; null where they do. */
export function wordsBlock({
  region: { words },
  form: { sourcePrompt },
}: {
  readonly region: Region;
  readonly form: Pick<EditForm, 'sourcePrompt'>;
}): 'empty' | 'not-in-source' | null {
  if (words.trim() === '') return 'empty';
  return hasWords(sourcePrompt.trim(), words) && words.length <= maxMaskWords ? null : 'not-in-source';
}

/** Whether a region is asked for and none is there yet. */
export function isRegionMissing(state: RegionOfForm): boolean {
  return state.region.kind !== 'whole' && maskOf(state) === undefined;
}

/** The drawing that holds at a frame: the last one at or before it, else the first. */
export function drawingAt({ drawings, frame }: Pick<Region, 'drawings' | 'frame'>): MaskDrawing | null {
  const sorted = [...drawings].sort((one, other) => one.frame - other.frame);
  return sorted.filter((drawing) => drawing.frame <= frame).at(-1) ?? sorted[0] ?? null;
}

/** With a shape on the frame that is shown; unchanged where a mask cannot have more. */
export function withShape(region: Region, shape: MaskShape): Region {
  const { frame, drawings, undo } = region;
  const own = drawings.find((drawing) => drawing.frame === frame)?.shapes ?? [];
  const others = drawings.filter((drawing) => drawing.frame !== frame);
  const next = [...others, { frame, shapes: [...own, shape] }].sort((one, other) => one.frame - other.frame);
  const points = next.flatMap(({ shapes }) => shapes).reduce((sum, one) => sum + one.points.length / 2, 0);
  const isFull = next.length > maskLimits.frames || own.length >= maskLimits.shapes || points > maskLimits.points;
  if (isFull) return { ...region, begun: [] };
  return { ...region, begun: [], drawings: next, undo: [...undo, drawings].slice(-maxUndo) };
}

/** The shape that two corners, several, or a way make with the chosen tool; null for too few. */
export function shapeOf({ tool, erases }: Pick<Region, 'tool' | 'erases'>, places: readonly Place[]): MaskShape | null {
  const points = (those: readonly Place[]): number[] => those.flatMap(({ x, y }) => [rounded(x), rounded(y)]);
  const [first] = places;
  const last = places.at(-1);
  if (first === undefined || last === undefined) return null;
  switch (tool) {
    case 'rectangle':
    case 'ellipse': {
      const hasSize = Math.abs(first.x - last.x) > 0.005 && Math.abs(first.y - last.y) > 0.005;
      return hasSize ? { kind: tool, points: points([first, last]), erases } : null;
    }
    case 'polygon':
      return places.length < 3 ? null : { kind: tool, points: points(places), erases };
    case 'brush':
      return { kind: tool, points: points(places), radius: brushRadius, erases };
  }
}

/** To a ten-thousandth of the side, within what a mask may have. */
function rounded(value: number): number {
  return Math.round(1e4 * Math.min(2, Math.max(-1, value))) / 1e4;
}
