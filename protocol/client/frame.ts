// Fetches one picture, or another small file. It is small, so a cut is answered by asking again.

import { orCanceled, type EditError, type Signal } from '../errors.ts';
import type { FrameSide } from '../messages/stream-messages.ts';
import type { RequestOf } from '../messages/replies.ts';
import type { Connection } from './connection.ts';
import type { Run } from './run.ts';

export interface FrameRequest {
  readonly side: FrameSide;
  /** Of a clip for `original`, of a job for `edit`. */
  readonly id: string;
  readonly frameIndex: number;
  /** Pixels of the longer side at most. */
  readonly maxSide: number;
}

/** The bytes of a JPEG. Rejected with CanceledError or the server's refusal. */
export function fetchFrame(run: Run, wish: FrameRequest, signal?: Signal): Promise<Uint8Array> {
  return fetchPicture(run, { type: 'frame-get', ...wish }, signal);
}

/** The bytes of something small that is sent without acknowledgements. Rejected as `fetchFrame`. */
export function fetchPicture(
  run: Run,
  request: RequestOf<'frame-get'> | RequestOf<'sample-get'>,
  signal?: Signal,
): Promise<Uint8Array> {
  return run(({ connection }) => fetchOver(connection, request, signal), signal);
}

async function fetchOver(
  connection: Connection,
  request: RequestOf<'frame-get'> | RequestOf<'sample-get'>,
  signal: Signal | undefined,
): Promise<Uint8Array> {
  const { streamId, sizeBytes } = await orCanceled(connection.request<'frame-get' | 'sample-get'>(request), signal);
  const whole = new Uint8Array(sizeBytes);
  let received = 0;
  let stopListening: () => void = () => undefined;
  const arrived = new Promise<void>((resolve, reject) => {
    stopListening = connection.onStream(streamId, {
      onChunk({ offset, bytes }) {
        if (offset + bytes.length > sizeBytes) return;
        whole.set(bytes, offset);
        received += bytes.length;
        if (received >= sizeBytes) resolve();
      },
      onFailed: (error: EditError) => reject(error),
    });
  });
  try {
    await orCanceled(arrived, signal);
    return whole;
  } finally {
    stopListening();
  }
}
