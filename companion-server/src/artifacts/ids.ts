// What artifacts are called, wherever they are kept. In the data folder an id is the path of a file or folder.

import { codecExtension, outputCodecs, type OutputCodec } from '../../../protocol/codecs.ts';
import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';

/** Names of files and folders joined by `/`; none of them is empty, `.` or `..`, or has a `\\`. */
export type ArtifactId = string;

/** All clips. */
export const clipsFolder: ArtifactId = 'clips';
/** All that there is of jobs, a folder for each. */
export const jobsFolder: ArtifactId = 'jobs';

/** `fileName`: as the clip's row has it. */
export function clipArtifact(fileName: string): ArtifactId {
  return `${clipsFolder}/${fileName}`;
}

/** All that there is of a job: its work and its result. */
export function jobArtifact(jobId: string): ArtifactId {
  return `${jobsFolder}/${jobId}`;
}

/** The folder from which an interrupted job continues: resume point, latents, correspondences. */
export function workArtifact(jobId: string): ArtifactId {
  return `${jobArtifact(jobId)}/work`;
}

/** What a job has made, an edit or a preview. */
export function resultArtifact(jobId: string, codec: OutputCodec): ArtifactId {
  return `${jobArtifact(jobId)}/result${codecExtension(codec)}`;
}

export function isResultOf(jobId: string, id: ArtifactId): boolean {
  return outputCodecs.some((codec) => id === resultArtifact(jobId, codec));
}

/** Videos of a job's result that are made to be played, and can be made again. */
export function playbackFolder(jobId: string): ArtifactId {
  return `${jobArtifact(jobId)}/playback`;
}

/** The video of one side. */
export function playbackArtifact(jobId: string, side: FrameSide): ArtifactId {
  return `${playbackFolder(jobId)}/${side}.mp4`;
}

/** The last name of an id. */
export function artifactName(id: ArtifactId): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/** The names of an id. Throws RangeError for one that leads elsewhere. */
export function namesOf(id: ArtifactId): readonly string[] {
  const names = id.split('/');
  const isName = (name: string): boolean => !['', '.', '..'].includes(name) && !/[\\\0]/.test(name);
  if (names.every(isName)) return names;
  throw new RangeError(`An artifact's id must be names joined by /, got ${JSON.stringify(id)}.`);
}
