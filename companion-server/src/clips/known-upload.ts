// The upload of a clip that its owner has sent before: a formality.

import { EditError } from '../errors.ts';
import type { Clip, Upload } from './clip.ts';

/** The upload of a clip that is there already: nothing is to be sent. */
export function createKnownUpload(uploadId: string, clip: Clip): Upload {
  return {
    uploadId,
    receivedBytes: clip.sizeBytes,
    write: () => Promise.reject(new EditError('invalid-request', 'The clip is there already: send no chunk.')),
    finish: (sha256) =>
      sha256 === clip.sha256
        ? Promise.resolve(clip)
        : Promise.reject(new EditError('transfer-damaged', 'The clip is not the one that was announced.')),
    release: () => Promise.resolve(),
  };
}
