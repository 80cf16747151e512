// The file of a result, as it was when the job was done.

import { statSync } from 'node:fs';
import { EditError } from '../errors.ts';

/** Throws EditError 'result-invalid' when the file at `path` has not `sizeBytes` bytes. */
export function requireWholeResult(path: string, sizeBytes: number, jobId: string): void {
  const found = statSync(path, { throwIfNoEntry: false })?.size;
  if (found === sizeBytes) return;
  throw new EditError(
    'result-invalid',
    `The result of job ${jobId} must have ${sizeBytes} bytes; on the disk it has ${found ?? 'none'}.`,
    { hint: 'It was changed outside the program. Run the edit again.' },
  );
}
