// Removes temporary files even when the process must end at once (a second Ctrl+C, an uncaught error).

import { rmSync } from 'node:fs';

const paths = new Set<string>();

function removeAll(): void {
  for (const path of paths) {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // The error cannot be reported any more, and other files remain. The next process removes what this one leaves.
    }
  }
}

/** Removes the file or folder when this process exits. Returns a function that cancels this. */
export function removeAtExit(path: string): () => void {
  if (paths.size === 0) process.on('exit', removeAll);
  paths.add(path);
  return () => {
    paths.delete(path);
    if (paths.size === 0) process.off('exit', removeAll);
  };
}
