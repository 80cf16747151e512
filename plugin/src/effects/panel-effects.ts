// All effects together.

import { startCompareEffect } from './compare-effect.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { startEditsEffect } from './edits-effect.ts';
import { startEstimateEffect } from './estimate-effect.ts';
import { startModelsEffect } from './models-effect.ts';
import { startPreviewStripEffect } from './preview-strip-effect.ts';
import { startPersistence } from './persistence.ts';
import { startRegionStillEffect } from './region-still-effect.ts';
import { createKeptUploads } from './cached-uploads.ts';
import { startLinkEffect } from './link-effect.ts';
import { startPrepareEffect } from './prepare-effect.ts';
import { createSentClips } from './sent-clips.ts';
import { startSampleEffect } from './sample-effect.ts';
import { startResultEffect } from './result-effect.ts';
import { startSelectionEffect } from './selection-effect.ts';
import { startStorageEffect } from './storage-effect.ts';
import { startTaskEffect } from './task-effect.ts';
import { startThumbnailsEffect } from './thumbnails-effect.ts';

export function startPanelEffects(deps: EffectDeps): StopEffect {
  const uploads = createKeptUploads(deps);
  const sentClips = createSentClips(deps);
  const preparation = startPrepareEffect(deps, { uploads, sentClips });
  const stops = [
    startTaskEffect(deps, { preparation, uploads }),
    () => preparation.stop(),
    startEstimateEffect(deps),
    startCompareEffect(deps),
    startResultEffect(deps),
    startThumbnailsEffect(deps),
    startPreviewStripEffect(deps),
    startRegionStillEffect(deps, uploads),
    startEditsEffect(deps, sentClips),
    startSelectionEffect(deps),
    startModelsEffect(deps),
    startStorageEffect(deps),
    startSampleEffect(deps),
    startPersistence(deps),
    startLinkEffect(deps),
  ];
  deps.host.clips.recover().then(
    (lines) => lines.forEach((line) => deps.host.shell.log(line)),
    (error: unknown) => deps.host.shell.log(`Recovery failed: ${String(error)}`),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
