// What the simulated Premiere needs of a real machine: a disk, and something that cuts films. In node it is ffmpeg;
// in a page it can be a bridge to node.

import type { UxpFs } from '../../plugin/src/host/premiere/api.ts';
import type { SimMedia } from './sim-document.ts';

export interface RenderPiece {
  /** Null for black. */
  readonly path: string | null;
  readonly startFrame: number;
  readonly frames: number;
  readonly effect: 'none' | 'negate';
}

export interface RenderRequest {
  readonly pieces: readonly RenderPiece[];
  readonly width: number;
  readonly height: number;
  readonly rate: { readonly numerator: number; readonly denominator: number };
  readonly path: string;
}

export interface SimMachine {
  readonly fs: UxpFs;
  /** Native path of the folder behind `plugin-data:/`. */
  readonly dataFolder: string;
  /** Native path of the user's home folder. */
  readonly homeFolder: string;
  probe(path: string): Promise<SimMedia>;
  /** Makes a film, whole. */
  render(request: RenderRequest): Promise<void>;
  /** Moves a part of a film that was made to where it should be, up to `share` of it, 0..1. */
  reveal(from: string, to: string, share: number): Promise<void>;
}
