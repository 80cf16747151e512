// The option that gives keyframes that were edited by hand.

import { join, resolve } from 'node:path';
import { FieldError, parse } from '../../../protocol/fields.ts';
import { givenKeyframes, maxGivenKeyframes, type GivenKeyframe } from '../../../protocol/given-keyframes.ts';
import { EditError } from '../errors.ts';
import { sha256OfFile } from '../files/sha256.ts';
import { pictureClipExtension, writePictureClip } from '../media/encode/picture-clip.ts';
import type { Options } from './options.ts';

export const keyframeOptions = {
  keyframe: {
    kind: 'texts',
    placeholder: 'FRAME=FILE',
    help: `Experimental. A frame of the clip that was edited by hand, counted from 0, as a picture of the clip's size: the edit carries its change to the others. May be given up to ${maxGivenKeyframes} times. frames writes frames to edit.`,
  },
} as const satisfies Options;

export interface KeyframesRequest {
  readonly keyframes: readonly GivenKeyframe[];
  /** Absolute paths of the clips to send, one for each. */
  readonly paths: readonly string[];
}

/** Pictures become clips of one frame in `folder`. Throws EditError that names the option; what reading a picture throws. */
export async function readKeyframes(
  texts: readonly string[],
  folder: () => Promise<string>,
  signal?: AbortSignal,
): Promise<KeyframesRequest> {
  const keyframes: GivenKeyframe[] = [];
  const paths: string[] = [];
  for (const text of texts) {
    const [, frame, file] = /^(\d+)=(.+)$/.exec(text) ?? [];
    if (frame === undefined || file === undefined) {
      throw new EditError('invalid-request', `--keyframe must look like 12=frame-12.png, got '${text}'.`);
    }
    const clip = join(await folder(), `keyframe-${frame}${pictureClipExtension}`);
    await writePictureClip(resolve(file), clip, signal);
    keyframes.push({ frame: Number(frame), sha256: await sha256OfFile(clip, { signal }) });
    paths.push(clip);
  }
  try {
    return { keyframes: parse(givenKeyframes, keyframes, 'keyframes'), paths };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new EditError(error.code, `--keyframe ${error.complaint}`);
  }
}
