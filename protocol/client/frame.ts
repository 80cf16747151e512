// Fetches pictures, or another small file. They are small, so a cut is answered by asking again.

import { orCanceled, type EditError, type Signal } from '../errors.ts';
import type { MadeControlKind } from '../control.ts';
import type { FrameFormat, FrameSide } from '../messages/stream-messages.ts';
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
  /** `png`: a frame of a clip, without loss and of its own size. Default: `jpeg`. */
  readonly format?: FrameFormat;
}

export interface FramesRequest {
  readonly side: FrameSide;
  readonly jobId: string;
  /** From 0, within the result. */
  readonly firstFrame: number;
  /** At most `maxFramesAtOnce`. */
  readonly frames: number;
  /** Pixels of the longer side at most. */
  readonly maxSide: number;
}

export interface ControlPictureRequest {
  readonly clipId: string;
  readonly kind: MadeControlKind;
  readonly frameIndex: number;
  /** Pixels of the longer side at most. */
  readonly maxSide: number;
}

/** The bytes of a JPEG, or of a PNG. Rejected with CanceledError or the server's refusal. */
export function fetchFrame(run: Run, wish: FrameRequest, signal?: Signal): Promise<Uint8Array> {
  return fetchPicture(run, { type: 'frame-get', ...wish }, signal);
}

/** What a ControlNet is shown of a frame: the bytes of a JPEG. Rejected as `fetchFrame`. */
export function fetchControlPicture(run: Run, wish: ControlPictureRequest, signal?: Signal): Promise<Uint8Array> {
  return fetchPicture(run, { type: 'control-picture-get', ...wish }, signal);
}

/** The bytes of something small that is sent without acknowledgements. Rejected as `fetchFrame`. */
export function fetchPicture(
  run: Run,
  request: RequestOf<'frame-get'> | RequestOf<'control-picture-get'> | RequestOf<'sample-get'>,
  signal?: Signal,
): Promise<Uint8Array> {
  return run(async ({ connection }) => {
    const asked = connection.request<'frame-get' | 'control-picture-get' | 'sample-get'>(request);
    const { streamId, sizeBytes } = await orCanceled(asked, signal);
    return receive(connection, streamId, sizeBytes, signal);
  }, signal);
}

/** The bytes of JPEGs of frames that follow each other; there may be fewer. Rejected as `fetchFrame`. */
export function fetchFrames(run: Run, wish: FramesRequest, signal?: Signal): Promise<readonly Uint8Array[]> {
  return run(async ({ connection }) => {
    const request = connection.request({ type: 'frames-get', ...wish });
    const { streamId, sizes } = await orCanceled(request, signal);
    const all = await receive(connection, streamId, sum(sizes), signal);
    return sizes.map((sizeBytes, index) => {
      const start = sum(sizes.slice(0, index));
      return all.subarray(start, start + sizeBytes);
    });
  }, signal);
}

const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0);

/** The whole of a stream that needs no acknowledgements. Rejected with CanceledError, or with what ended the stream. */
export async function receive(
  connection: Connection,
  streamId: number,
  sizeBytes: number,
  signal?: Signal,
): Promise<Uint8Array> {
  const whole = new Uint8Array(sizeBytes);
  if (sizeBytes === 0) return whole;
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
