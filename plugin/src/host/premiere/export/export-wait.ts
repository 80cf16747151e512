// When is an export finished? Premiere's answer says that it was accepted, its event may never come, and its file
// is there long before it is whole. So: the event, and then a file that does not grow; or, without the event, a file
// that has not grown for long. There is no limit to the whole, since an export may take as long as it takes.

import { HostError } from '../../problems.ts';
import type { Surroundings } from '../api.ts';
import { sizeOfFile } from '../open-file.ts';

export const exportTimes = {
  pollMs: 300,
  /** The file must not have grown for this long after the event: the event may come before the last bytes. */
  quietAfterEventMs: 900,
  /** The same time when no event has come. */
  quietWithoutEventMs: 30_000,
  /** Premiere has to begin to write within this time. */
  beginWithinMs: 60_000,
} as const;

type EventState = 'none' | 'success' | 'failed' | 'canceled';

export interface ExportWatch {
  /** Ends when the file is complete; returns its size in bytes. Throws HostError `export-failed`. */
  finished(onProgress?: (progress: number | null) => void): Promise<number>;
  stop(): void;
}

/** Begins to listen; to be called before the export is started. */
export function watchExport({ ppro, fs, clock }: Surroundings, path: string, hasEvents: boolean): ExportWatch {
  let state: EventState = 'none';
  let eventAt = 0;
  const listener = (event?: object): void => {
    state = readState(ppro, event);
    eventAt = clock.now();
  };
  if (hasEvents) {
    const { EXPORT_MEDIA_COMPLETE } = ppro.Constants.OperationCompleteEvent;
    ppro.EventManager.addGlobalEventListener(EXPORT_MEDIA_COMPLETE, listener);
  }

  async function finished(onProgress?: (progress: number | null) => void): Promise<number> {
    const beganAt = clock.now();
    let size: number | null = null;
    let quietSince = beganAt;
    for (;;) {
      if (state === 'failed' || state === 'canceled') {
        throw new HostError('export-failed', `Premiere ended the export: ${state}.`);
      }
      const sizeNow = await sizeOfFile(fs, path);
      const now = clock.now();
      if (sizeNow !== size) {
        size = sizeNow;
        quietSince = now;
        onProgress?.(null);
      }
      const quietMs = state === 'success' ? exportTimes.quietAfterEventMs : exportTimes.quietWithoutEventMs;
      const isQuiet = now - Math.max(quietSince, eventAt) >= quietMs;
      if (size !== null && size > 0 && isQuiet) return size;
      if ((size === null || size === 0) && now - beganAt >= exportTimes.beginWithinMs) {
        throw new HostError('export-failed', `Premiere has written nothing to ${path}.`);
      }
      await clock.wait(exportTimes.pollMs);
    }
  }

  return {
    finished,
    stop() {
      if (!hasEvents) return;
      const { EXPORT_MEDIA_COMPLETE } = ppro.Constants.OperationCompleteEvent;
      ppro.EventManager.removeGlobalEventListener(EXPORT_MEDIA_COMPLETE, listener);
    },
  };
}

function readState(ppro: Surroundings['ppro'], event: object | undefined): EventState {
  const { SUCCESS, CANCELLED } = ppro.Constants.OperationCompleteState;
  const state: unknown = event === undefined ? undefined : Reflect.get(event, 'state');
  if (state === CANCELLED) return 'canceled';
  // The event is reported to come only after success, and its payload is not typed.
  return state === undefined || state === SUCCESS ? 'success' : 'failed';
}
