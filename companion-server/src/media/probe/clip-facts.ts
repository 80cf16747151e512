// The facts about a clip that a client gets.

import type { MediaFacts } from '../../../../protocol/media-facts.ts';
import type { ClipInfo } from './clip-info.ts';

export function toMediaFacts(clip: ClipInfo): MediaFacts {
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
