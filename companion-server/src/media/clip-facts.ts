// What a client is told of a clip.

import type { MediaFacts } from '../../../protocol/media-facts.ts';
import { probeClip } from './probe.ts';

/** Looks into the clip at `path`. Throws what `probeClip` throws. */
export async function readMediaFacts(path: string, signal?: AbortSignal): Promise<MediaFacts> {
  const clip = await probeClip(path, signal);
  return {
    durationSeconds: clip.durationSeconds,
    frameCount: clip.frameCount,
    frameRate: clip.frameRate,
    isVariableRate: clip.variableRate,
    size: clip.frameSize,
    rotationDegrees: clip.rotationDegrees,
    pixelFormat: clip.pixelFormat,
    bitDepth: clip.bitDepth,
    isInterlaced: clip.interlaced,
    audio: clip.audio,
    notices: clip.notices,
  };
}
