// Settings of an edit that an earlier version has kept: in a database, in a panel's storage, in a project.

import { defaultSettings } from './edit-settings.ts';

/** Former names of settings, and what they are called. */
const renamed: Readonly<Record<string, string>> = { schedule: 'pipeline', noise: 'initialNoise' };

/**
 * The same settings by today's names; what their version did not know yet is as usual. Checks nothing: anything but an
 * object is returned as it is, for the reader that checks it to complain of.
 */
export function fromEarlierSettings(kept: unknown): unknown {
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return kept;
  const named = Object.entries(kept).map(([name, value]: [string, unknown]) => [renamed[name] ?? name, value] as const);
  return { ...defaultSettings(), ...Object.fromEntries(named) };
}
