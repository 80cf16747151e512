// All flows together.

import { startCompareFlow } from './compare-flow.ts';
import type { FlowDeps, StopFlow } from './deps.ts';
import { startEditsFlow } from './edits-flow.ts';
import { startEstimateFlow } from './estimate-flow.ts';
import { startFilmFlow } from './film-flow.ts';
import { startKeepingFlow } from './keeping-flow.ts';
import { createKeptUploads } from './kept-uploads.ts';
import { startLinkFlow } from './link-flow.ts';
import { startPrepareFlow } from './prepare-flow.ts';
import { startSelectionFlow } from './selection-flow.ts';
import { startTaskFlow } from './task-flow.ts';

export function startPanelFlow(deps: FlowDeps): StopFlow {
  const uploads = createKeptUploads(deps);
  const preparation = startPrepareFlow(deps, uploads);
  const stops = [
    startTaskFlow(deps, { preparation, uploads }),
    () => preparation.stop(),
    startEstimateFlow(deps),
    startCompareFlow(deps),
    startFilmFlow(deps),
    startEditsFlow(deps),
    startSelectionFlow(deps),
    startKeepingFlow(deps),
    startLinkFlow(deps),
  ];
  deps.host.clips.recover().then(
    (lines) => lines.forEach((line) => deps.host.shell.log(line)),
    (error: unknown) => deps.host.shell.log(`Recovery failed: ${String(error)}`),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
