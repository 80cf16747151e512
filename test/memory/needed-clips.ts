// Which clips a job needs, for the stores and queues in memory.

import type { JobSpec } from '../../companion-server/src/jobs/executor.ts';
import { uploadsOf } from '../../protocol/edit-settings.ts';

/** Whether the job edits the clip, or has it as its matte or a keyframe: the id of a clip begins its hash. */
export function isNeeded(clipId: string, spec: Pick<JobSpec, 'clipId' | 'settings'>): boolean {
  return spec.clipId === clipId || uploadsOf(spec.settings).some((sha256) => sha256.startsWith(clipId));
}
