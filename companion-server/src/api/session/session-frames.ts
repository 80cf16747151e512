// The single pictures that a connection asks for: frames of clips and results, and maps of what an edit has changed.

import type { ControlPictureGet, FrameGet } from '../../../../protocol/messages/stream-messages.ts';
import { EditError } from '../../errors.ts';
import { resultOf } from '../../jobs/results.ts';
import { nameFiles } from '../../without-paths.ts';
import type { SessionDeps } from './session-deps.ts';

/** The JPEG or PNG of a picture that `owner` asks for. Throws EditError; its paths become names before a client sees it. */
export async function readFrame(
  deps: Pick<SessionDeps, 'artifacts' | 'clips' | 'jobs' | 'readPicture' | 'readStill' | 'readMap'>,
  owner: string,
  { side, id, frameIndex, maxSide, format = 'jpeg' }: FrameGet,
): Promise<Uint8Array> {
  const { artifacts, clips, jobs, readPicture, readStill, readMap } = deps;
  if (format === 'png' && side !== 'original') {
    throw new EditError('invalid-request', `Only frames of a clip are sent as PNG, got the side '${side}'.`);
  }
  if (side === 'original' || side === 'edit') {
    const { artifact } = side === 'original' ? await clips.get(owner, id) : await resultOf(deps, owner, id);
    const path = await artifacts.localPath(artifact);
    return namingFiles({ 'the clip': path }, () =>
      format === 'png' ? readStill(path, frameIndex) : readPicture(path, frameIndex, maxSide),
    );
  }
  const result = await resultOf(deps, owner, id);
  const { clipId, settings, report } = await jobs.get(owner, id);
  if (side === 'flicker' && settings.preview) {
    throw new EditError('invalid-request', 'A preview has no flicker: its frames are no neighbours.');
  }
  const original = await clips.get(owner, clipId);
  const [originalPath, resultPath] = [
    await artifacts.localPath(original.artifact),
    await artifacts.localPath(result.artifact),
  ];
  const rate = report === null ? 0 : report.frameRate.numerator / report.frameRate.denominator;
  const firstFrame = Math.round((settings.startSeconds ?? 0) * rate);
  const clipFrame = firstFrame + (report?.frameIndices?.[frameIndex] ?? frameIndex);
  return namingFiles({ 'the clip': originalPath, 'the result': resultPath }, () =>
    readMap(side, { path: originalPath, frameIndex: clipFrame }, { path: resultPath, frameIndex }, maxSide),
  );
}

/** The JPEG of what a ControlNet is shown of a frame of a clip. Throws EditError as `readFrame`. */
export async function readControlPicture(
  deps: Pick<SessionDeps, 'artifacts' | 'clips' | 'readControlPicture'>,
  owner: string,
  { kind, clipId, frameIndex, maxSide }: ControlPictureGet,
): Promise<Uint8Array> {
  const { artifact } = await deps.clips.get(owner, clipId);
  const path = await deps.artifacts.localPath(artifact);
  return namingFiles({ 'the clip': path }, () => deps.readControlPicture(kind, path, frameIndex, maxSide));
}

async function namingFiles<T>(paths: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw nameFiles(error, paths);
  }
}
