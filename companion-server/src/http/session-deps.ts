// What a session needs of the rest of the server. The rooms that do the work fill these in; server.ts brings them together.

import type { Device } from '../../../protocol/devices.ts';
import type { Check } from '../../../protocol/diagnostics.ts';
import type { Estimate } from '../../../protocol/estimate.ts';
import type { EditWish } from '../../../protocol/job-messages.ts';
import type { JobView, ResultFacts } from '../../../protocol/job.ts';
import type { ModelInfo } from '../../../protocol/model-info.ts';
import type { ClipStore } from '../clips/clip-store.ts';
import type { Log } from '../log.ts';

/** Who speaks: a pairing. Jobs and clips belong to it, not to a connection. */
export interface Client {
  /** 32 hexadecimal digits. */
  readonly clientId: string;
  readonly name: string;
}

/** Who may connect. */
export interface Authenticator {
  /** Whose token it is, or null. */
  authenticate(token: string): Client | null;
  /** Trades a pairing code for a token. `address` is where the connection comes from. Throws EditError. */
  exchange(
    code: string,
    name: string,
    address: string,
  ): { readonly client: Client; readonly token: string };
  /** Remembers that a client has said hello, and as which version. */
  noteSeen(clientId: string, version: string): void;
}

/** The jobs of all clients. A method with a `jobId` throws EditError 'job-missing' for one that is not the owner's. */
export interface Jobs {
  /** Durable when it returns. A key that the owner has used before returns that job. */
  create(owner: string, request: EditWish & { readonly key: string; readonly priority: number }): JobView; // prettier-ignore
  /** What a job would take. Throws EditError. */
  estimate(owner: string, wish: EditWish): Promise<Estimate>;
  /** Oldest first. */
  list(owner: string): readonly JobView[];
  get(owner: string, jobId: string): JobView;
  cancel(owner: string, jobId: string): JobView;
  pause(owner: string, jobId: string): JobView;
  resume(owner: string, jobId: string): JobView;
  move(owner: string, jobId: string, beforeJobId: string | null): JobView;
  remove(owner: string, jobId: string): Promise<void>;
  /** Throws EditError when the job is not done. */
  result(owner: string, jobId: string): ResultFacts & { readonly path: string };
  /** Calls `listener` after every change of the owner's jobs, until the returned function is called. */
  subscribe(owner: string, listener: (job: JobView) => void): () => void;
}

export interface SessionDeps {
  readonly version: string;
  readonly pairings: Authenticator;
  /** Checkpoints that a job may use; the first is the default. */
  readonly models: () => readonly ModelInfo[];
  /** What `auto` came to, or null while nobody knows. */
  readonly device: () => Device | null;
  readonly clips: ClipStore;
  readonly jobs: Jobs;
  /** One frame of a clip or result as a JPEG, its longer side at most `maxSide` pixels. Throws EditError. */
  readonly readPicture: (path: string, frameIndex: number, maxSide: number) => Promise<Uint8Array>;
  /** What an edit has changed of its original in one frame, as a JPEG. Throws EditError. */
  readonly readMap: (
    kind: 'difference' | 'flicker',
    original: { readonly path: string; readonly frameIndex: number },
    edit: { readonly path: string; readonly frameIndex: number },
    maxSide: number,
  ) => Promise<Uint8Array>;
  readonly diagnose: () => Promise<readonly Check[]>;
  readonly log: Log;
}
