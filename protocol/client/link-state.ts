// The state of the connection between panel and server, as the panel shows it.

import type { Device } from '../devices.ts';
import type { WireError } from '../messages/wire-error.ts';
import type { ModelInfo } from '../model-info.ts';

/** What the server said of itself when it was last reached. */
export interface ServerFacts {
  readonly version: string;
  readonly device: Device | null;
  /** The first is the default. */
  readonly models: readonly ModelInfo[];
}

export type LinkState =
  /** The first attempt. */
  | { readonly name: 'connecting' }
  /** No server answers. It is tried again and again. */
  | { readonly name: 'unreachable'; readonly attempts: number }
  /** The server wants a code. `problem` is why the last one was refused. */
  | { readonly name: 'unpaired'; readonly isBusy: boolean; readonly problem: WireError | null }
  /** Panel and server do not speak the same protocol. */
  | { readonly name: 'mismatch'; readonly problem: WireError }
  | { readonly name: 'online'; readonly server: ServerFacts }
  /** Was online, and will be again. Jobs continue meanwhile. */
  | { readonly name: 'lost'; readonly server: ServerFacts; readonly attempts: number };
