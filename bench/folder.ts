import os from 'node:os';
import path from 'node:path';

/** Where benches keep files that are worth making once. Safe to delete. */
export function benchFolder(): string {
  return path.join(os.tmpdir(), 'tokenflow-bench');
}
