// The result of a job as a file of the host. A part that was fetched before is continued; a damaged result is deleted and
// fetched again, once.

import type { Client } from '../../../protocol/client/client.ts';
import { EditError, type Signal } from '../../../protocol/errors.ts';
import type { ResultFile } from '../host/edits.ts';
import type { Host, ResultWriter } from '../host/host.ts';

export interface FetchRequest {
  readonly jobId: string;
  readonly clipName: string;
  /** With its dot. */
  readonly extension: string;
  readonly onProgress: (receivedBytes: number, sizeBytes: number) => void;
  readonly signal?: Signal;
}

/** Rejected with what the client or the host throws. */
export async function fetchInto(
  { client, host }: { readonly client: Client; readonly host: Host },
  wish: FetchRequest,
): Promise<ResultFile> {
  for (let attempt = 1; ; attempt += 1) {
    const writer = await host.files.openResult(wish);
    try {
      await client.download(wish.jobId, writer, {
        onProgress: wish.onProgress,
        ...(wish.signal === undefined ? {} : { signal: wish.signal }),
      });
      return await writer.finish();
    } catch (error) {
      const isDamaged = error instanceof EditError && error.code === 'transfer-damaged';
      await leave(writer, isDamaged);
      if (!isDamaged || attempt === 2) throw error;
    }
  }
}

/** An error of closing is ignored, because the error that led here is the one to report. */
async function leave(writer: ResultWriter, isDamaged: boolean): Promise<void> {
  await (isDamaged ? writer.discard() : writer.pause()).catch(() => undefined);
}
