// What tests see and decide of the companion server in memory.

import type { ErrorCode } from '../../error-codes.ts';
import type { JobState, JobView } from '../../job.ts';
import type { ClientMessage } from '../../messages/client-messages.ts';
import type { ServerMessage } from '../../messages/server-messages.ts';
import type { ModelLists } from '../../messages/session-messages.ts';
import type { ModelDownload } from '../../model-offers.ts';
import type { OpenSocket } from '../socket.ts';

export const token = 'a'.repeat(64);
export const code = 'K7QF-3MXD';
/** Of the licence of every model that the server offers. */
export const licenceHash = 'f'.repeat(64);

export interface FakeServer {
  readonly openSocket: OpenSocket;
  /** False: connections are refused. */
  isUp: boolean;
  /** False: it hears and says nothing, as a machine that sleeps. */
  isAwake: boolean;
  protocol: number;
  /** Where it listens; null: everywhere. Elsewhere connections are refused. */
  listensAt: string | null;
  /** Where a program takes connections in and says nothing. */
  readonly silentAt: Set<string>;
  /** The key that it proves itself by, and that pairs. */
  panelKey: string;
  acceptsToken: boolean;
  /** Media bytes after which the connection of the moment is cut, in either direction, one per connection. */
  readonly cuts: number[];
  readonly result: Uint8Array;
  /** Uploads by id: what has come. */
  readonly uploads: Map<string, Uint8Array>;
  /** Media bytes that came although they were there already. */
  repeatedBytes: number;
  /** Most media bytes that were ever on their way without acknowledgement. */
  mostUnacknowledged: number;
  readonly heard: ClientMessage[];
  /** Estimates that wait for the test, which calls them in any order: each says its answer. Null: they are answered at once. */
  heldEstimates: (() => void)[] | null;
  readonly jobs: Map<string, JobView>;
  /** What it finds on its machine. */
  models: ModelLists;
  /** Downloads that are told at every hello. */
  downloads: ModelDownload[];
  /** Bytes of every sample clip. */
  sample: Uint8Array;
  /** The next request of this type is refused with this code. */
  refuse(type: ClientMessage['type'], errorCode: ErrorCode): void;
  /** Ends every connection. */
  cutAll(): void;
  changeJob(jobId: string, state: JobState): void;
  /** Sends every client a picture of a running job, of so many bytes. */
  showPicture(jobId: string, sizeBytes: number): void;
  /** Says this on every connection that was greeted. */
  tell(message: ServerMessage): void;
  connections: number;
}

export interface FakeServerOptions {
  readonly chunkBytes?: number;
  readonly windowBytes?: number;
  readonly result?: Uint8Array;
  /** What the server says the result hashes to, where that is a lie. */
  readonly resultSha256?: string;
}
