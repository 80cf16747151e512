// Data that an earlier version of the panel has stored, with the present names.

/** The strength was called a dial. Anything but an object is returned as it is, for the reader that checks it. */
export function nameStrength(kept: unknown): unknown {
  if (typeof kept !== 'object' || kept === null || !('dial' in kept)) return kept;
  const { dial, ...others } = kept;
  return { strength: dial, ...others };
}
