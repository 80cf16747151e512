import { EditError } from '../errors.ts';
import { freeBytesAt } from '../files/free-space.ts';

/** What helps where copies of weights do not fit. */
export const advice = { whenFull: 'Free some space, or choose another cache folder with TOKENFLOW_CACHE.' };

/** Throws EditError('disk-full') where the disk of `dir`, which is there, has less room than `what` takes. */
export async function requireSpace(dir: string, neededBytes: number, what: string): Promise<void> {
  const freeBytes = await freeBytesAt(dir);
  if (freeBytes >= neededBytes) return;
  throw new EditError(
    'disk-full',
    `${dir}: ${what} takes ${megabytes(neededBytes)}, ${megabytes(freeBytes)} are free.`,
    {
      hint: advice.whenFull,
    },
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
