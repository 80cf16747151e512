// The requests of an authenticated client, and the parts of the server that carry them out.

import type { Chunk } from '../../../../protocol/messages/chunk.ts';
import type { ClientMessage } from '../../../../protocol/messages/client-messages.ts';
import type { ClipDelete, ClipGet } from '../../../../protocol/messages/clip-messages.ts';
import type { JobCreate } from '../../../../protocol/messages/job-messages.ts';
import { maxSlowRequests, maxWaitingJobs } from '../../../../protocol/limits.ts';
import type { SampleGet } from '../../../../protocol/messages/model-messages.ts';
import type { DiskShortage } from '../../../../protocol/messages/session-messages.ts';
import type {
  ControlPictureGet,
  FrameGet,
  FramesGet,
  PlaybackGet,
} from '../../../../protocol/messages/stream-messages.ts';
import { createTurns } from '../../../../protocol/turns.ts';
import { EditError } from '../../errors.ts';
import { linkLifetimeMs, signLink } from '../signed-link.ts';
import type { Peer } from './peer.ts';
import type { Requester, SessionDeps } from './session-deps.ts';
import { createSessionDownloads } from './session-downloads.ts';
import { readControlPicture, readFrame } from './session-frames.ts';
import { createSessionJobs } from './session-jobs.ts';
import { createSessionModels } from './session-models.ts';
import { createSessionUploads } from './session-uploads.ts';

export type DispatchedMessage = Exclude<ClientMessage, { readonly type: 'hello' | 'identify' | 'pair' }>;

export interface Dispatcher {
  /** Carries out one message; slow requests run in parallel with the messages that follow. Throws EditError. */
  handle(message: DispatchedMessage): Promise<void>;
  receive(chunk: Chunk): Promise<void>;
  /** Ends the work of the connection. Clips, jobs and the received bytes of uploads stay. */
  close(): Promise<void>;
}

/** Pictures of one connection that are made or sent at a time. */
const picturesAtOnce = 3;

/** `refuse` answers a request that failed after `handle` returned. */
export function createDispatcher(
  deps: SessionDeps,
  peer: Peer,
  requester: Requester,
  refuse: (error: unknown, requestId: number) => void,
): Dispatcher {
  const { clips, diagnose } = deps;
  const owner = requester.clientId;
  const tellDisks = (shortages: readonly DiskShortage[]): void => peer.send({ type: 'disk-changed', shortages });
  const stopListening = deps.disks.subscribe(tellDisks);
  if (deps.disks.shortages().length > 0) tellDisks(deps.disks.shortages());
  let streams = 0;
  const takeStreamId = (): number => ++streams;
  const uploads = createSessionUploads(peer, clips, owner, takeStreamId);
  const jobs = createSessionJobs(peer, deps, owner, takeStreamId);
  const models = createSessionModels(peer, deps.modelChanges);
  const downloads = createSessionDownloads(peer, deps, owner, takeStreamId);
  const pictures = createTurns(picturesAtOnce);
  const slowWork = new Set<Promise<void>>();
  const jobTurns = createTurns();

  /** Runs `work` in parallel with the next messages. */
  function beside(requestId: number, work: () => Promise<void>): void {
    if (slowWork.size >= maxSlowRequests) {
      throw new EditError('limit-reached', `A connection may have ${maxSlowRequests} requests that take their time.`, {
        hint: 'Wait for a reply before the next one.',
      });
    }
    const done = work()
      .catch((error: unknown) => refuse(error, requestId))
      .finally(() => slowWork.delete(done));
    slowWork.add(done);
  }

  /** Jobs are made one after the other, in parallel with the messages that follow. */
  function queueJob(message: JobCreate): void {
    if (jobTurns.size >= maxWaitingJobs) {
      throw new EditError('limit-reached', `A connection may ask for ${maxWaitingJobs} jobs at once.`, {
        hint: 'Wait for a reply before the next one.',
      });
    }
    jobTurns.take(() => jobs.handle(message)).catch((error: unknown) => refuse(error, message.requestId));
  }

  async function getClip({ requestId, clipId }: ClipGet): Promise<void> {
    const { sizeBytes, sha256, media } = await clips.get(owner, clipId);
    peer.send({ type: 'clip', requestId, clipId, sizeBytes, sha256, media });
  }

  async function deleteClip({ requestId, clipId }: ClipDelete): Promise<void> {
    if (await deps.jobs.needsClip(owner, clipId)) {
      throw new EditError('invalid-request', `A job needs the clip ${clipId}.`, {
        hint: 'Wait for its end, or cancel it.',
      });
    }
    await clips.remove(owner, clipId);
    peer.send({ type: 'clip-deleted', requestId, clipId });
  }

  /** A picture is made when one of the last few has been sent, so a client that does not read uses little memory. */
  function sendFrame(message: FrameGet): Promise<void> {
    return pictures.take(async () => downloads.sendPicture(message.requestId, await readFrame(deps, owner, message)));
  }

  function sendControlPicture(message: ControlPictureGet): Promise<void> {
    return pictures.take(async () =>
      downloads.sendPicture(message.requestId, await readControlPicture(deps, owner, message)),
    );
  }

  async function sendPlayback({ requestId, jobId, side }: PlaybackGet): Promise<void> {
    const { sizeBytes, frames, frameRate } = await deps.playback.open(owner, jobId, side);
    const expiresAt = new Date(Date.now() + linkLifetimeMs);
    const url = signLink(deps.linkSecret, { clientId: owner, jobId, file: side }, expiresAt);
    const expiresInSeconds = linkLifetimeMs / 1_000;
    peer.send({ type: 'playback', requestId, url, expiresInSeconds, frames, frameRate, sizeBytes });
  }

  function sendFrames({ requestId, ...wish }: FramesGet): Promise<void> {
    return pictures.take(async () => downloads.sendPictures(requestId, await deps.playback.pictures(owner, wish)));
  }

  async function sendDiagnostics(requestId: number): Promise<void> {
    peer.send({ type: 'diagnostics', requestId, checks: await diagnose(requester) });
  }

  async function sendStorage(requestId: number): Promise<void> {
    peer.send({ type: 'storage', requestId, ...(await deps.storage()) });
  }

  /** A clip of a practice model is as small as a picture, and is sent like one. */
  function sendSample({ requestId, modelId, sample }: SampleGet): Promise<void> {
    return pictures.take(async () => {
      const bytes = await deps.modelChanges.readSample(modelId, sample);
      await downloads.sendPicture(requestId, bytes, 'sample-ready');
    });
  }

  async function sendModels(requestId: number): Promise<void> {
    peer.send({ type: 'models', requestId, ...(await deps.lookForModels()) });
  }

  return {
    async handle(message) {
      switch (message.type) {
        case 'upload-begin':
          await uploads.begin(message);
          break;
        case 'upload-end':
          beside(message.requestId, () => uploads.end(message));
          break;
        case 'stream-cancel':
          downloads.cancel(message.streamId);
          await uploads.cancel(message.streamId);
          break;
        case 'clip-get':
          await getClip(message);
          break;
        case 'clip-delete':
          await deleteClip(message);
          break;
        case 'download-begin':
          await downloads.begin(message);
          break;
        case 'download-ack':
          downloads.acknowledge(message);
          break;
        case 'frame-get':
          beside(message.requestId, () => sendFrame(message));
          break;
        case 'control-picture-get':
          beside(message.requestId, () => sendControlPicture(message));
          break;
        case 'playback-get':
          beside(message.requestId, () => sendPlayback(message));
          break;
        case 'frames-get':
          beside(message.requestId, () => sendFrames(message));
          break;
        case 'estimate':
          beside(message.requestId, () => jobs.estimate(message));
          break;
        // A job is estimated before it is queued.
        case 'job-create':
          queueJob(message);
          break;
        case 'job-delete':
          beside(message.requestId, () => jobs.delete(message));
          break;
        case 'diagnostics-get':
          beside(message.requestId, () => sendDiagnostics(message.requestId));
          break;
        case 'storage-get':
          beside(message.requestId, () => sendStorage(message.requestId));
          break;
        case 'models-get':
          beside(message.requestId, () => sendModels(message.requestId));
          break;
        case 'licence-get':
        case 'model-download':
        case 'model-download-pause':
        case 'model-download-cancel':
        case 'model-remove':
          beside(message.requestId, () => models.handle(message));
          break;
        case 'sample-get':
          beside(message.requestId, () => sendSample(message));
          break;
        case 'job-list':
        case 'job-get':
        case 'job-cancel':
        case 'job-pause':
        case 'job-resume':
        case 'job-move':
          await jobs.handle(message);
          break;
      }
    },
    receive: (chunk) => uploads.receive(chunk),
    async close() {
      stopListening();
      jobs.close();
      models.close();
      await uploads.close();
      await downloads.close();
      await Promise.all([jobTurns.over(), ...slowWork]);
    },
  };
}
