// One edit from a clip on disk to an edited clip on disk, over the socket.

import { resolve } from 'node:path';
import type { DeviceChoice } from '../../../protocol/devices.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import type { EditSettings } from '../../../protocol/edit-settings.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import type { JobDone, JobOutcome } from '../../../protocol/server-messages.ts';
import { CanceledError, throwIfCanceled } from '../errors.ts';
import { fromWireError } from '../wire-error.ts';
import type { Connection } from './connection.ts';
import { downloadResult } from './download.ts';
import { openOutput } from './output-file.ts';
import { uploadClip } from './upload.ts';

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
  /** One of `connection.models`, or null for the server's default. */
  readonly model: string | null;
  readonly device: DeviceChoice;
  readonly onProgress: (progress: ClientProgress) => void;
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
export async function editOverSocket(
  connection: Connection,
  options: EditOverSocketOptions,
): Promise<EditedClip> {
  const { clipPath, settings, model, device, onProgress, signal } = options;
  throwIfCanceled(signal);
  const outPath = resolve(options.outPath);
  const output = await openOutput(outPath);
  let jobId: string | undefined;
  try {
    const beganAt = performance.now();
    const clipId = await uploadClip(connection, {
      clipPath,
      signal,
      onProgress: (doneBytes, totalBytes) => onProgress({ phase: 'upload', doneBytes, totalBytes }),
    });
    const uploadSeconds = (performance.now() - beganAt) / 1_000;
    onProgress({ phase: 'queue' });
    ({ jobId } = await connection.request({ type: 'job-create', clipId, settings, model, device }));
    const { report, result } = await waitForResult(connection, jobId, onProgress, signal);
    const editedAt = performance.now();
    await downloadResult(connection, {
      jobId,
      result,
      file: output.file,
      signal,
      onProgress: (doneBytes, totalBytes) =>
        onProgress({ phase: 'download', doneBytes, totalBytes }),
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
    if (jobId !== undefined) await forgetJob(connection, jobId);
  }
}

async function waitForResult(
  connection: Connection,
  jobId: string,
  onProgress: (progress: ClientProgress) => void,
  signal: AbortSignal | undefined,
): Promise<JobDone> {
  let stopListening: () => void = () => undefined;
  const over = new Promise<JobOutcome>((resolveOutcome) => {
    stopListening = connection.onEvent((event) => {
      if (!('jobId' in event) || event.jobId !== jobId) return;
      if (event.type === 'job-progress') onProgress({ phase: 'edit', progress: event.progress });
      else if (isOutcome(event)) resolveOutcome(event);
    });
  });
  try {
    const outcome = await connection.wait(over, signal);
    switch (outcome.type) {
      case 'job-done':
        return outcome;
      case 'job-failed':
        throw fromWireError(outcome.error);
      case 'job-canceled':
        throw new CanceledError('The companion server canceled the job.');
    }
  } finally {
    stopListening();
  }
}

function isOutcome(event: { readonly type: string }): event is JobOutcome {
  return ['job-done', 'job-failed', 'job-canceled'].includes(event.type);
}

/** Also cancels a job that still runs, and waits for its end. A lost connection has done so already. */
async function forgetJob(connection: Connection, jobId: string): Promise<void> {
  await connection.request({ type: 'job-delete', jobId }).catch(() => undefined);
}
