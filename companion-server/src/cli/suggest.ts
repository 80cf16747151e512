// The known name that a mistyped one was probably meant to be.

/** Edits (insert, delete, replace a letter) that still count as a slip. */
const maxEdits = 2;

/** The known name nearest to `name`, or undefined when none is near. A unique beginning is near, too. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const beginsSo = known.filter((candidate) => name.length >= 3 && candidate.startsWith(name));
  if (beginsSo.length === 1) return beginsSo[0];
  const byDistance = known
    .map((candidate) => ({ candidate, edits: countEdits(name, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  const nearest = byDistance[0];
  return nearest !== undefined && nearest.edits <= maxEdits ? nearest.candidate : undefined;
}

/** Levenshtein distance. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_item, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
