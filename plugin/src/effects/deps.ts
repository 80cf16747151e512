// What every effect needs. Effects listen to events, do the work, and report by events; they do not use the DOM.

import type { Client } from '../../../protocol/client/client.ts';
import type { Clock } from '../../../protocol/client/clock.ts';
import type { Host } from '../host/host.ts';
import type { Store } from '../state/store.ts';

export interface EffectDeps {
  readonly host: Host;
  readonly client: Client;
  readonly store: Store;
  readonly clock: Clock;
  /** 0..1. */
  readonly random: () => number;
  readonly pictures: Pictures;
  /** Whether the user writes in a field, from which nothing may take the keyboard. */
  readonly isTyping: () => boolean;
  /** Gives a result to the user as a file, if the host has no project to put it in; else null. */
  readonly saveResult: ((resultId: string) => Promise<boolean>) | null;
}

/** Turns the bytes of a JPEG into an address for an image, and frees it again. */
export interface Pictures {
  make(jpeg: Uint8Array): string;
  drop(url: string): void;
}

/** Ends the work that an effect has started. */
export type StopEffect = () => void;
