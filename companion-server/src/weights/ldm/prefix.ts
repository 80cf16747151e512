// The parts of a checkpoint in one file are told apart by how their keys begin.

/** The entries whose keys begin with one of `prefixes`, without it. Where a key has two of them, the first counts. */
export function under<T>(entries: ReadonlyMap<string, T>, ...prefixes: readonly string[]): ReadonlyMap<string, T> {
  const found: [string, T][] = [];
  for (const [key, value] of entries) {
    const prefix = prefixes.find((start) => key.startsWith(start));
    if (prefix !== undefined) found.push([key.slice(prefix.length), value]);
  }
  return new Map(found);
}

/** The same entries under other keys; those that `rename` gives none are left out. */
export function renamed<T>(
  entries: ReadonlyMap<string, T>,
  rename: (key: string) => string | null,
): ReadonlyMap<string, T> {
  const kept: [string, T][] = [];
  for (const [key, value] of entries) {
    const name = rename(key);
    if (name !== null) kept.push([name, value]);
  }
  return new Map(kept);
}
