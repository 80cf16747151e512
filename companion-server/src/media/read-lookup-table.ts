// The lookup table that a client has sent as a clip of one frame.

import { lookupTableOf } from '../../../protocol/lookup-table.ts';
import { EditError } from '../errors.ts';
import { decodePlanes } from './decode/frames.ts';
import type { ClipTable } from './probe/clip-info.ts';
import { probeClip } from './probe/probe.ts';

/** Of the planes that hold red, green and blue. */
const pixelFormat = 'yuv444p16le';

/**
 * `path`: absolute; `sha256`: of that file. Throws EditError('invalid-request') for a clip that is no table; what reading a
 * clip throws; CanceledError.
 */
export async function readLookupTable(path: string, sha256: string, signal?: AbortSignal): Promise<ClipTable> {
  const clip = await probeClip(path, signal);
  if (clip.pixelFormat === pixelFormat && clip.frameCount === 1) {
    for await (const { width, height, planes } of decodePlanes(clip, { signal })) {
      const table = lookupTableOf({ width, height }, planes);
      if (table !== null) return { ...table, sha256 };
    }
  }
  throw new EditError('invalid-request', 'The clip that was sent as a lookup table holds none.', {
    hint: 'Send the clip that protocol/lookup-table.ts makes of a .cube file.',
  });
}
