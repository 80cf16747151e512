// The page that a user sees first.

import type { ServerFile } from './server-file.ts';

/** The address of the panel as this user may open it. */
export function openingAddress({ pageUrl }: ServerFile): string {
  return pageUrl;
}
