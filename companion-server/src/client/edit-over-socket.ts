// One edit from a clip on disk to an edited clip on disk, over the socket.

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { DeviceChoice } from '../../../protocol/devices.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import type { EditSettings } from '../../../protocol/edit-settings.ts';
import type { Client } from '../../../protocol/client/client.ts';
import { watchJob } from '../../../protocol/client/watch-job.ts';
import type { JobView, ResultFacts } from '../../../protocol/job.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import { fromWireError } from '../../../protocol/messages/wire-error.ts';
import { CanceledError, EditError, throwIfCanceled } from '../errors.ts';
import { openPart } from '../files/write-whole.ts';
import { downloadResult, uploadClip } from './transfer.ts';

/** What the client can tell while it waits. */
export type ClientProgress =
  | {
      readonly phase: 'upload' | 'download';
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | { readonly phase: 'queue' }
  | { readonly phase: 'edit'; readonly progress: EditProgress };

export interface EditOverSocketOptions {
  readonly clipPath: string;
  /** Written whole or not at all; an existing file is replaced. */
  readonly outPath: string;
  readonly settings: EditSettings;
  /** Absolute paths of control videos, by what `settings` call them; none when left out. They are uploaded as clips. */
  readonly controlVideos?: ReadonlyMap<string, string>;
  /** Absolute paths of files that the settings name by their SHA-256: a matte, keyframes, a lookup table. Default: none. */
  readonly uploads?: readonly string[];
  /** Id of one of the server's models, or null for the server's default. */
  readonly model: string | null;
  readonly device: DeviceChoice;
  readonly onProgress: (progress: ClientProgress) => void;
  /** Called with the hash of the clip when the server has it, before the edit. */
  readonly onUploaded?: (sha256: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface EditedClip {
  /** Absolute path. */
  readonly outPath: string;
  readonly sizeBytes: number;
  readonly report: EditReport;
  /** Seconds of each stage in order: upload, the engine's stages, download. */
  readonly stageSeconds: Readonly<Record<string, number>>;
}

/** Runs one edit. Leaves nothing behind but the result. Throws CanceledError or EditError. */
export async function editOverSocket(client: Client, options: EditOverSocketOptions): Promise<EditedClip> {
  const { clipPath, uploads = [], model, device, onProgress, signal } = options;
  throwIfCanceled(signal);
  const outPath = resolve(options.outPath);
  const output = await openPart(outPath, {
    what: `The output ${outPath} cannot be written`,
    whenFull: 'Free some space, or name a file on another disk with --out FILE.',
    whenRefused: 'Name another file with --out FILE.',
  });
  let jobId: string | undefined;
  const clipIds: string[] = [];
  try {
    const beganAt = performance.now();
    const sent = await uploadClip(client, clipPath, {
      signal,
      onProgress: (doneBytes, totalBytes) => onProgress({ phase: 'upload', doneBytes, totalBytes }),
    });
    clipIds.push(sent.clipId);
    options.onUploaded?.(sent.sha256);
    const shown = await uploadControls(client, options, clipIds);
    for (const file of uploads) clipIds.push((await uploadClip(client, file, { signal })).clipId);
    const uploadSeconds = (performance.now() - beganAt) / 1_000;
    onProgress({ phase: 'queue' });
    // The same key again makes no second job, should the reply be lost.
    const wish = { clipId: sent.clipId, settings: shown, model, device };
    const key = randomUUID();
    ({ jobId } = await client.createJob({ key, ...wish, priority: 0 }));
    const tell = (progress: EditProgress): void => onProgress({ phase: 'edit', progress });
    const { report, result } = requireDone(await watchJob(client, jobId, { onProgress: tell, signal }));
    const editedAt = performance.now();
    await downloadResult(client, jobId, output.file, {
      signal,
      onProgress: (doneBytes, totalBytes) => onProgress({ phase: 'download', doneBytes, totalBytes }),
    });
    throwIfCanceled(signal);
    await output.commit();
    const downloadSeconds = (performance.now() - editedAt) / 1_000;
    return {
      outPath,
      sizeBytes: result.sizeBytes,
      report,
      stageSeconds: { upload: uploadSeconds, ...report.stageSeconds, download: downloadSeconds },
    };
  } finally {
    await output.discard();
    await forget(client, jobId, clipIds);
  }
}

/** The settings with the ids of the control videos, which are added to `clipIds`. */
async function uploadControls(
  client: Client,
  { settings, controlVideos = new Map<string, string>(), onProgress, signal }: EditOverSocketOptions,
  clipIds: string[],
): Promise<EditSettings> {
  if (settings.controls === undefined || controlVideos.size === 0) return settings;
  const ids = new Map<string, string>();
  for (const [name, path] of controlVideos) {
    const { clipId } = await uploadClip(client, path, {
      signal,
      onProgress: (doneBytes, totalBytes) => onProgress({ phase: 'upload', doneBytes, totalBytes }),
    });
    clipIds.push(clipId);
    ids.set(name, clipId);
  }
  const controls = settings.controls.map((control) => {
    const clip = control.clip === undefined ? undefined : ids.get(control.clip);
    return clip === undefined ? control : { ...control, clip };
  });
  return { ...settings, controls };
}

/** The facts of the result, or the outcome as the error that it is. */
function requireDone(job: JobView): { readonly report: EditReport; readonly result: ResultFacts } {
  const { state, report, result, error } = job;
  if (error !== null) throw fromWireError(error);
  if (state === 'canceled') throw new CanceledError({ message: 'The companion server canceled the job.' });
  if (report !== null && result !== null) return { report, result };
  throw new EditError('internal', `The companion server reports no result of a job that is ${state}.`);
}

/** Also cancels a job that still runs, and waits for its end. What cannot be reached stays with the server. */
async function forget(client: Client, jobId: string | undefined, clipIds: readonly string[]): Promise<void> {
  if (jobId !== undefined) {
    await client.request({ type: 'job-delete', jobId }).catch(() => undefined);
  }
  // Another edit of the same clip may need it still: then the server refuses, and that edit removes it.
  for (const clipId of new Set(clipIds)) {
    await client.request({ type: 'clip-delete', clipId }).catch(() => undefined);
  }
}
