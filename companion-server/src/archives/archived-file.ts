// A file in an archive, and which names are let out of one.

export interface ArchivedFile {
  /** Names joined by `/`. */
  readonly name: string;
  /** Unix permission bits. */
  readonly mode: number;
  readonly data: Uint8Array;
}

/** Throws RangeError when `name` would lead out of the folder that the archive is unpacked into. */
export function safeName(name: string): string {
  const names = name.replace(/^\.\//, '').split('/');
  const isSafe = names.every((part) => !['', '.', '..'].includes(part) && !/[\\:\0]/.test(part));
  return isSafe ? names.join('/') : fail(`the name ${JSON.stringify(name)} is not allowed`);
}

/** Throws RangeError. */
export function fail(reason: string): never {
  throw new RangeError(`The archive cannot be read: ${reason}.`);
}
