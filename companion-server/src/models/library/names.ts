// The names that clients use for what was found. A name is looked up in a table: no part of it ever becomes part of a path.

import { createHash } from 'node:crypto';
import type { FoundModel } from './scan.ts';

/** Longest name on the wire. */
const maxCharacters = 200;
/** Room for the place and a number. */
const maxBareCharacters = 120;

export interface Named<T> {
  readonly id: string;
  readonly item: T;
}

/**
 * Gives each a name of its own: `owner/name`, or the name of the file. Where two would have the same, each of them is
 * called by its place as well (`film@comfyui`, `film@comfyui/old`), so that a name that worked never leads to another file.
 * @param taken names that others have already
 */
export function nameFound<T extends FoundModel>(found: readonly T[], taken: ReadonlySet<string>): readonly Named<T>[] {
  const bare = countOf(found.map(({ name }) => printable(name)));
  const longer = countOf(found.map(qualified));
  const used = new Set<string>();
  return found.map((item) => {
    const name = printable(item.name);
    const long = qualified(item);
    const isPlain = bare.get(name) === 1 && !taken.has(name);
    const isUnique = longer.get(long) === 1 && !taken.has(long);
    // Two folders of the same name in one place, told apart by their paths.
    const wanted = isPlain ? name : isUnique ? long : `${long}#${fingerprint(item.file.realPath)}`;
    const id = used.has(wanted) ? `${long}#${fingerprint(item.file.realPath)}` : wanted;
    used.add(id);
    return { id, item };
  });
}

/** The names that lead to one file whether or not it is the only one of its name. */
export function longNameOf(item: FoundModel): string {
  return qualified(item);
}

function qualified({ name, source, folder }: FoundModel): string {
  const place = folder === '' ? source : `${source}/${folder}`;
  return clip(`${printable(name)}@${printable(place)}`, maxCharacters - 12);
}

/** Without signs that cannot be seen, and not too long for the wire. */
function printable(text: string): string {
  return clip(text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '_').trim() || '_', maxBareCharacters);
}

function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 9)}~${fingerprint(text)}`;
}

function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function countOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
