// What every piece of the view is made with. A piece makes its elements once and changes them when the state changes.

import type { PanelState } from '../state/panel-state.ts';
import type { Dispatch } from '../state/store.ts';
import type { Texts } from './texts/strings.ts';
import type { Attention } from './attention.ts';
import type { Accessibility, Ui } from './ui.ts';

export interface Context {
  readonly ui: Ui;
  readonly t: Texts;
  readonly dispatch: Dispatch;
  readonly env: ViewEnv;
}

export interface Piece {
  readonly root: HTMLElement;
  update(state: PanelState): void;
}

export interface PageParts {
  /** Stands where the selection of the timeline stands in Premiere. */
  createClip(context: Context): Piece;
  readonly accessibility: Accessibility;
  readonly attention: Attention;
}

/** What the piece for a file needs of the page. */
export interface ViewFiles {
  take(file: File): void;
  pick(): void;
  clear(): void;
  setRange(range: { readonly startSeconds: number; readonly endSeconds: number } | null): void;
  urlOf(fileId: string): string | null;
}

export interface ViewEnv {
  readonly kind: 'premiere' | 'browser';
  /** Pieces that only a browser can show; null in UXP, into whose bundle they do not come. */
  readonly page: PageParts | null;
  readonly version: string;
  readonly random: () => number;
  /** The text with which the host takes a file that is dragged onto it; null where it takes none. */
  readonly dragText: ((path: string, displayName: string) => string | null) | null;
}

/** Any 32 bits, as a seed. */
export function randomSeed({ random }: ViewEnv): number {
  return Math.floor(random() * (2 ** 32 - 1));
}
