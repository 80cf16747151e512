// Settings of an edit that an earlier version has stored: in a database, in a panel's storage, in a project.

import { defaultSettings } from './edit-settings.ts';

/** Former names of settings, and the present names. */
const renamed: Readonly<Record<string, string>> = { schedule: 'pipeline', noise: 'initialNoise' };

/**
 * The same settings with the present names; settings that their version did not have get the usual values. Checks
 * nothing: a value that is not an object is returned unchanged, and the reader that checks it reports the error.
 */
export function fromEarlierSettings(kept: unknown): unknown {
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return kept;
  const named = Object.entries(kept).map(([name, value]: [string, unknown]) => [renamed[name] ?? name, value] as const);
  return { ...defaultSettings(), ...Object.fromEntries(named) };
}
