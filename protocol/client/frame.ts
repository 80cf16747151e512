// Fetches one picture. It is small, so a cut is answered by asking again.

import { orCanceled, type EditError, type Signal } from '../errors.ts';
import type { FrameSide } from '../messages/stream-messages.ts';
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
  return run(({ connection }) => fetchOver(connection, wish, signal), signal);
}

async function fetchOver(connection: Connection, wish: FrameRequest, signal: Signal | undefined): Promise<Uint8Array> {
  const request = connection.request({ type: 'frame-get', ...wish });
  const { streamId, sizeBytes } = await orCanceled(request, signal);
  const jpeg = new Uint8Array(sizeBytes);
  let received = 0;
  let stopListening: () => void = () => undefined;
  const whole = new Promise<void>((resolve, reject) => {
    stopListening = connection.onStream(streamId, {
      onChunk({ offset, bytes }) {
        if (offset + bytes.length > sizeBytes) return;
        jpeg.set(bytes, offset);
        received += bytes.length;
        if (received >= sizeBytes) resolve();
      },
      onFailed: (error: EditError) => reject(error),
    });
  });
  try {
    await orCanceled(whole, signal);
    return jpeg;
  } finally {
    stopListening();
  }
}
