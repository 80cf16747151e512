// The port for large data that outlives a process, by id: clips, results, previews, and the files from which an
// interrupted job continues. Code that needs a file on this machine (ffmpeg, the engine) asks for it; a store that keeps
// artifacts elsewhere fetches it then. local-store.ts keeps them in the data folder.

import type { ArtifactId } from './ids.ts';

export interface ArtifactFacts {
  readonly sizeBytes: number;
}

/** Reads an artifact from one end to the other. */
export interface ArtifactReader {
  /** Fills `buffer` from its beginning with the next bytes. Returns how many there were, 0 at the end. */
  read(buffer: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** An artifact that cannot be found by its id any more. Call one of both. */
export interface Withdrawal {
  /** Frees its bytes. */
  delete(): Promise<void>;
  /** Puts it back. */
  restore(): Promise<void>;
}

/** An id may be a file, or a folder of further ids. Failures of a disk or a network are thrown as they are. */
export interface ArtifactStore {
  /** Of a file; null where there is none. */
  facts(id: ArtifactId): Promise<ArtifactFacts | null>;
  /** Reads a file from byte `firstByte` on. The caller closes it. */
  read(id: ArtifactId, firstByte: number): Promise<ArtifactReader>;
  /** The ids directly below a folder; none where there is no folder. */
  list(folder: ArtifactId): Promise<readonly ArtifactId[]>;
  /**
   * Takes over the file at the path `file` of this machine, which is gone from there then, whole or not at all. It replaces
   * what was there.
   */
  put(id: ArtifactId, file: string): Promise<void>;
  /**
   * Absolute path on this machine under which the artifact can be read. Where there is none yet, it can be written there
   * (a file whole or not at all): `commit` keeps it.
   */
  localPath(id: ArtifactId): Promise<string>;
  /**
   * Stores the current file or folder at the local path: it survives a power failure, and every process that uses the
   * store finds it. The work folder of a job is committed after each of its steps.
   */
  commit(id: ArtifactId): Promise<void>;
  /**
   * Takes a file or folder away at once, and does so even on a full disk. When the process ends in between, its bytes are
   * freed at the next start. Does nothing where there is none.
   */
  withdraw(id: ArtifactId): Promise<Withdrawal>;
  /** Deletes a file or folder. When the process ends in between, the next start ends it. Does nothing where there is none. */
  remove(id: ArtifactId): Promise<void>;
  /** Moves unknown files aside, to a folder where a person can find them. Never rejects. */
  setAside(id: ArtifactId): Promise<void>;
}
