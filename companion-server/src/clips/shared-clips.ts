// The clips in a store that several machines share, as a worker sees them: by their hash, whoever has sent them. Whether a
// client may use a clip is decided where the job is queued (clip-store.ts).

import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { artifactName, clipsFolder } from '../artifacts/ids.ts';
import { EditError } from '../errors.ts';
import type { Clip } from './clip.ts';

/**
 * The clip whose SHA-256 begins with these hexadecimal digits: the id of a clip is the first 32. Throws EditError
 * 'clip-missing'.
 */
export async function findSharedClip(
  artifacts: Pick<ArtifactStore, 'list'>,
  digits: string,
): Promise<Pick<Clip, 'artifact' | 'sha256'>> {
  const artifact = (await artifacts.list(clipsFolder)).find((id) => artifactName(id).startsWith(digits));
  if (artifact !== undefined) return { artifact, sha256: artifactName(artifact).slice(0, 64) };
  throw new EditError('clip-missing', `The shared store has no clip ${digits.slice(0, 8)}.`, {
    hint: 'It may have been deleted. Upload the clip again.',
  });
}
