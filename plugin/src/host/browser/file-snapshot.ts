// A file and a range of it, as the page keeps them across reloads.

import { FieldError, integer, nullable, number, object, oneOf, parse, text } from '../../../../protocol/fields.ts';
import type { FileSnapshot } from '../selection.ts';
import type { TextStorage } from './text-storage.ts';

const seconds = nullable(number(0, Number.MAX_VALUE));

export const fileSnapshot = object({
  kind: oneOf(['file']),
  fileId: text({ max: 1_000 }),
  fileName: text({ max: 1_000 }),
  sizeBytes: integer(0, Number.MAX_SAFE_INTEGER),
  startSeconds: seconds,
  endSeconds: seconds,
});

const storageKey = 'tokenflow.selection';

/** The selection of the page before; null where there is none, or none that this page can read. */
export function readSelected(storage: TextStorage): FileSnapshot | null {
  const kept = storage.getItem(storageKey);
  if (kept === null) return null;
  try {
    return parse(fileSnapshot, JSON.parse(kept), 'selection');
  } catch (error) {
    if (error instanceof FieldError || error instanceof SyntaxError) return null;
    throw error;
  }
}

export function writeSelected(storage: TextStorage, snapshot: FileSnapshot | null): void {
  if (snapshot === null) storage.removeItem(storageKey);
  else storage.setItem(storageKey, JSON.stringify(snapshot));
}
