// A clip that the server has, and one that is being sent.

import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { ArtifactId } from '../artifacts/ids.ts';

export interface Clip {
  readonly clipId: string;
  /** Its bytes in the ArtifactStore. */
  readonly artifact: ArtifactId;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly media: MediaFacts;
}

/** An upload in the hands of one connection. */
export interface Upload {
  readonly uploadId: string;
  /** The offset to continue from. */
  readonly receivedBytes: number;
  /**
   * Writes the next bytes, behind those of calls that are not over yet; returns how many there are then. Throws EditError
   * when they are not the next.
   */
  write(offset: number, bytes: Uint8Array): Promise<number>;
  /**
   * Makes the upload a clip. Throws EditError 'transfer-damaged' when bytes are missing or the hash differs, and the
   * probe's error when the bytes are not a clip ('clip-unreadable' and similar); the upload is removed then. After any
   * other failure (a full disk, a missing program) it is kept: another `begin` with its id continues it.
   */
  finish(sha256: string): Promise<Clip>;
  /** Gives the upload back; another connection may continue it. Does nothing after `finish`. */
  release(): Promise<void>;
}
