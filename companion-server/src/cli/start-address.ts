// The addresses tokenflow:// that the system hands to `start`. Any program may have made them, a web page too.

import { EditError } from '../errors.ts';

/** What is asked for. Throws EditError 'invalid-request' for anything else. */
export function readStartAddress([address, more]: readonly string[]): 'start' | 'open' {
  const action = address === undefined ? 'start' : /^tokenflow:\/\/(start|open)\/?$/i.exec(address)?.[1]?.toLowerCase();
  if (more === undefined && (action === 'start' || action === 'open')) return action;
  throw new EditError('invalid-request', `start takes tokenflow://start or nothing, got '${more ?? address ?? ''}'.`);
}
