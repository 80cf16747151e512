// The single pictures that a connection asks for: frames of clips and results, and maps of what an edit has changed.

import type { FrameGet } from '../../../protocol/stream-messages.ts';
import { EditError } from '../errors.ts';
import { nameFiles } from '../without-paths.ts';
import type { SessionDeps } from './session-deps.ts';

/** The JPEG of a picture that `owner` asks for. Throws EditError, of whose paths a client hears names. */
export async function readFrame(
  { clips, jobs, readPicture, readMap }: Pick<SessionDeps, 'clips' | 'jobs' | 'readPicture' | 'readMap'>,
  owner: string,
  { side, id, frameIndex, maxSide }: FrameGet,
): Promise<Uint8Array> {
  if (side === 'original' || side === 'edit') {
    const { path } = side === 'original' ? clips.get(owner, id) : jobs.result(owner, id);
    return namingFiles({ 'the clip': path }, () => readPicture(path, frameIndex, maxSide));
  }
  const result = jobs.result(owner, id);
  const { clipId, settings, report } = jobs.get(owner, id);
  if (side === 'flicker' && settings.preview) {
    throw new EditError('invalid-request', 'A preview has no flicker: its frames are no neighbours.');
  }
  const original = clips.get(owner, clipId);
  const rate = report === null ? 0 : report.frameRate.numerator / report.frameRate.denominator;
  const firstFrame = Math.round((settings.startSeconds ?? 0) * rate);
  const clipFrame = firstFrame + (report?.frameIndices?.[frameIndex] ?? frameIndex);
  return namingFiles({ 'the clip': original.path, 'the result': result.path }, () =>
    readMap(side, { path: original.path, frameIndex: clipFrame }, { path: result.path, frameIndex }, maxSide),
  );
}

async function namingFiles<T>(paths: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw nameFiles(error, paths);
  }
}
