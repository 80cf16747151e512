// What a session needs from the rest of the server. Other modules implement these parts; server.ts puts them together.

import type { MadeControlKind } from '../../../../protocol/control.ts';
import type { Device } from '../../../../protocol/devices.ts';
import type { Check } from '../../../../protocol/diagnostics.ts';
import type { Estimate } from '../../../../protocol/estimate.ts';
import type { ModelLists, Peer as Program, StorageFacts } from '../../../../protocol/messages/session-messages.ts';
import type { ModelInfo } from '../../../../protocol/model-info.ts';
import type { OfferKind } from '../../../../protocol/model-offers.ts';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import type { ClipStore } from '../../clips/clip-store.ts';
import type { JobSpec } from '../../jobs/executor.ts';
import type { JobQueue } from '../../jobs/queue.ts';
import type { Playback } from '../../playback/playback.ts';
import type { Log } from '../../app/log.ts';
import type { Downloads } from '../../models/downloads.ts';
import type { DiskWatch } from '../../store/disk-watch.ts';
import type { Relay, RelayedPeer } from '../../relay/relay.ts';
import type { ServerIdentity } from '../../pairing/identity.ts';
import type { Client, Pairings } from '../../pairing/pairings.ts';

/** A client, and which version of its program it said hello as. */
export interface Requester extends Client {
  readonly version: string;
}

/** What clients can change of the server's models. Names are looked up; no part of one becomes part of a path. */
export interface ModelChanges {
  /** Null where the server does not download. */
  readonly downloads: Pick<Downloads, 'cancel' | 'licence' | 'list' | 'pause' | 'start' | 'subscribe'> | null;
  /** Throws EditError 'invalid-request', 'model-in-use', 'model-missing'. */
  readonly remove: (kind: OfferKind, name: string) => Promise<void>;
  /** The bytes of a sample clip. Throws EditError 'model-missing', 'invalid-request'. */
  readonly readSample: (modelId: string, sample: string) => Promise<Uint8Array>;
  /** Calls the listener when there is another model, or one less. */
  readonly subscribe: (listener: () => void) => () => void;
}

export interface SessionDeps {
  readonly version: string;
  readonly identity: ServerIdentity;
  /** Who may connect. */
  readonly pairings: Pick<Pairings, 'authenticate' | 'exchange' | 'noteSeen'>;
  /** Checkpoints that a job may use; the first is the default. */
  readonly models: () => readonly ModelInfo[];
  /** How much room the server's files take. */
  readonly storage: () => Promise<StorageFacts>;
  /** Everything that lies on the server's machine, after another look at it, and what can be downloaded. */
  readonly lookForModels: () => Promise<ModelLists>;
  /** Downloads and removals of models, and sample clips. */
  readonly modelChanges: ModelChanges;
  /** The device that `auto` chose, or null while it is unknown. */
  readonly device: () => Device | null;
  readonly clips: ClipStore;
  readonly jobs: Omit<JobQueue, 'close' | 'countByState' | 'lastReport' | 'unfinished'>;
  /** Throws EditError when the clip or the model of an edit is not there. */
  readonly checkEdit: (owner: string, spec: JobSpec) => Promise<void>;
  /** The estimate of an edit. Throws EditError; CanceledError once `signal` is aborted. */
  readonly estimateEdit: (owner: string, spec: JobSpec, signal?: AbortSignal) => Promise<Estimate>;
  /** The bytes of clips and results. */
  readonly artifacts: Pick<ArtifactStore, 'facts' | 'localPath' | 'read'>;
  /** One frame of a clip or result as a JPEG, its longer side at most `maxSide` pixels. Throws EditError. */
  readonly readPicture: (path: string, frameIndex: number, maxSide: number) => Promise<Uint8Array>;
  /** What a ControlNet is shown of a frame, as a JPEG of the same size. Throws EditError. */
  readonly readControlPicture: (
    kind: MadeControlKind,
    path: string,
    frameIndex: number,
    maxSide: number,
  ) => Promise<Uint8Array>;
  /** One frame of a clip as a PNG of the clip's size. Throws EditError. */
  readonly readStill: (path: string, frameIndex: number) => Promise<Uint8Array>;
  /** What an edit has changed of its original in one frame, as a JPEG. Throws EditError. */
  readonly readMap: (
    kind: 'difference' | 'flicker',
    original: { readonly path: string; readonly frameIndex: number },
    edit: { readonly path: string; readonly frameIndex: number },
    maxSide: number,
  ) => Promise<Uint8Array>;
  /** The videos of results. */
  readonly playback: Pick<Playback, 'open' | 'pictures'>;
  /** What links to results and their videos are signed with. */
  readonly linkSecret: Uint8Array;
  /** Examines server and machine. The answer mentions `asker`, but no other client. */
  readonly diagnose: (asker: Requester) => Promise<readonly Check[]>;
  /** Which disks of the server are full. */
  readonly disks: Pick<DiskWatch, 'shortages' | 'subscribe'>;
  /** The other machine that does the work, for one client; null when this one does. Throws EditError. Default: null. */
  readonly openRelay?: (
    clientId: string,
    program: Program,
    peer: Omit<RelayedPeer, 'noteLink'>,
  ) => Promise<Relay | null>;
  readonly log: Log;
}
