// Temporary files go even when the process is told to end at once (a second Ctrl+C, an uncaught error).

import { rmSync } from 'node:fs';

/** Removes the file or folder when this process exits. Returns a function that takes the promise back. */
export function removeAtExit(path: string): () => void {
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', remove);
  return () => void process.off('exit', remove);
}
