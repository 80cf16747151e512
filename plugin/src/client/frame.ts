// Fetches one picture. It is small, so a cut is answered by asking again.

import type { FrameSide } from '../../../protocol/stream-messages.ts';
import type { Connection } from './connection.ts';
import { isLost, type ClientError } from './problem.ts';
import { orStopped, throwIfStopped, type StopSignal } from './signal.ts';

export interface FrameWish {
  readonly side: FrameSide;
  /** Of a clip for `original`, of a job for `edit`. */
  readonly id: string;
  readonly frameIndex: number;
  /** Pixels of the longer side at most. */
  readonly maxSide: number;
}

/** The bytes of a JPEG. Rejected with StoppedError or the server's refusal. */
export async function fetchFrame(
  online: (signal?: StopSignal) => Promise<Connection>,
  wish: FrameWish,
  signal?: StopSignal,
): Promise<Uint8Array> {
  for (;;) {
    const connection = await online(signal);
    try {
      return await fetchOver(connection, wish, signal);
    } catch (error) {
      throwIfStopped(signal);
      if (!isLost(error)) throw error;
    }
  }
}

async function fetchOver(connection: Connection, wish: FrameWish, signal: StopSignal | undefined): Promise<Uint8Array> {
  const request = connection.request<'frame-get'>({ type: 'frame-get', ...wish });
  const { streamId, sizeBytes } = await orStopped(request, signal);
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
      onFailed: (error: ClientError) => reject(error),
    });
  });
  try {
    await orStopped(whole, signal);
    return jpeg;
  } finally {
    stopListening();
  }
}
