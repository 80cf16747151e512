// The port for a place of files that several machines share: a folder on a file server, a bucket. It knows nothing of jobs
// and clips. mirrored-store.ts makes an ArtifactStore of it.

export interface StoredObject {
  /** Names joined by `/`. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Another one after each write. */
  readonly version: string;
}

/** Failures of the network or of a disk are thrown as they are. */
export interface ObjectStorage {
  /** Null where there is no object with this key. */
  stat(key: string): Promise<StoredObject | null>;
  /** All objects below a folder, at any depth. */
  listBelow(folder: string): Promise<readonly StoredObject[]>;
  /** The names directly below a folder, of objects and of folders. */
  namesIn(folder: string): Promise<readonly string[]>;
  /** The bytes of an object from `firstByte` on. Throws where there is no such object. */
  read(key: string, firstByte: number): Promise<AsyncIterable<Uint8Array>>;
  /** Writes an object, whole or not at all. `source`: the path of a file on this machine, or the bytes. */
  write(key: string, source: string | Uint8Array): Promise<StoredObject>;
  move(from: string, to: string): Promise<void>;
  /** Does nothing where there is no such object. */
  delete(key: string): Promise<void>;
}
