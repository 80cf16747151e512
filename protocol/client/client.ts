// The companion server as the panel and the command line use it. A promise survives the end of a connection if the request
// can be repeated without harm, and events of jobs come as long as the client exists. No DOM, no Node, no file: the parts
// that differ between programs are passed in (platform.ts, timing.ts).

import type { Check } from '../diagnostics.ts';
import { CanceledError, orCanceled, type Signal } from '../errors.ts';
import type { Estimates } from '../estimate.ts';
import { isOutcome, type JobView, type QueuePosition } from '../job.ts';
import type { EditRequest } from '../messages/job-messages.ts';
import type { Licence } from '../messages/model-messages.ts';
import type { ModelDownload, OfferKind } from '../model-offers.ts';
import type { EditProgress } from '../progress.ts';
import type { ReplyTo, Request, RequestOf } from '../messages/replies.ts';
import type { FrameSide, JobPicture, Playback } from '../messages/stream-messages.ts';
import type { DiskShortage, ModelLists, StorageFacts } from '../messages/session-messages.ts';
import type { Connection } from './connection.ts';
import { fetchResult, type DownloadOptions, type ResultSink } from './download.ts';
import {
  fetchControlPicture,
  fetchFrame,
  fetchFrames,
  fetchPicture,
  receive,
  type ControlPictureRequest,
  type FrameRequest,
  type FramesRequest,
} from './frame.ts';
import type { LinkState } from './link-state.ts';
import { createRun } from './run.ts';
import { createSession } from './session.ts';
import type { SessionOptions } from './session-options.ts';
import { sendClip, type ClipSource, type UploadedClip, type UploadOptions } from './upload.ts';

export type ClientOptions = Omit<SessionOptions, 'askForLife'>;

export interface JobRequest extends EditRequest {
  /** Chosen once per edit: asking twice makes one job. */
  readonly key: string;
  readonly priority: number;
}

export interface JobListener {
  onJob(job: JobView): void;
  onProgress(jobId: string, progress: EditProgress): void;
  /** What a frame of a running job looks like so far, as a JPEG. */
  onPicture?(jobId: string, picture: { readonly jpeg: Uint8Array; readonly frameIndex: number }): void;
  /** Jobs that wait have moved in the queue. */
  onPositions?(positions: readonly QueuePosition[]): void;
}

export interface ModelListener {
  onDownloads(downloads: readonly ModelDownload[]): void;
  /** There is another model, or one less. */
  onChanged(): void;
}

export type JobOrder = 'job-cancel' | 'job-pause' | 'job-resume';

export interface Client {
  readonly link: LinkState;
  onLink(listener: (state: LinkState) => void): () => void;
  /** Events of this client's jobs. After every connection the current state of all known jobs is sent again. */
  onJobs(listener: JobListener): () => void;
  /** The server's disks that are full, whenever that changes. */
  onDisks(listener: (shortages: readonly DiskShortage[]) => void): () => void;
  start(): void;
  /** Resolves when the socket is closed. */
  stop(): Promise<void>;
  retryNow(): void;
  pair(code: string): Promise<void>;
  forget(): Promise<void>;
  /** The connection, as soon as hello is answered. Rejected with CanceledError, or with the reason the client gave up. */
  online(signal?: Signal): Promise<Connection>;
  /** Resolves with the reason when the client has given up, which happens only with a limited number of attempts. */
  readonly gaveUp: Promise<unknown>;
  /** For requests that may be carried out twice without harm: they are sent again on a new connection. */
  request<Type extends Request['type']>(
    request: RequestOf<Type> & { readonly type: Type },
    signal?: Signal,
  ): Promise<ReplyTo<Type>>;
  upload(source: ClipSource, options: UploadOptions): Promise<UploadedClip>;
  download(jobId: string, sink: ResultSink, options?: DownloadOptions): Promise<void>;
  frame(wish: FrameRequest, signal?: Signal): Promise<Uint8Array>;
  /** What a ControlNet is shown of a frame of a clip. */
  controlPicture(wish: ControlPictureRequest, signal?: Signal): Promise<Uint8Array>;
  /** Frames of a result's video, for programs that cannot play it. There may be fewer. */
  frames(wish: FramesRequest, signal?: Signal): Promise<readonly Uint8Array[]>;
  /** Where the video of a side of a result is, with the server's address. The server may have to make it first. */
  playback(jobId: string, side: FrameSide, signal?: Signal): Promise<Playback>;
  /** What an edit and its preview would need. Rejected with CanceledError once a newer estimate is requested. */
  estimate(wish: EditRequest, signal?: Signal): Promise<Estimates>;
  createJob(wish: JobRequest, signal?: Signal): Promise<JobView>;
  job(jobId: string, signal?: Signal): Promise<JobView>;
  jobs(signal?: Signal): Promise<readonly JobView[]>;
  order(order: JobOrder, jobId: string): Promise<JobView>;
  /** Moves a waiting job in front of another one, or to the end (null). */
  moveJob(jobId: string, beforeJobId: string | null): Promise<JobView>;
  deleteJob(jobId: string): Promise<void>;
  diagnostics(signal?: Signal): Promise<readonly Check[]>;
  /** How much room the server's files take. */
  storage(signal?: Signal): Promise<StorageFacts>;
  /** What lies on the server's machine, after another look at it. */
  models(signal?: Signal): Promise<ModelLists>;
  /** Of a model that the server offers. */
  licence(modelId: string, signal?: Signal): Promise<Licence>;
  /** Begins or continues a download; `acceptedLicence` is the hash of `licence`, or null where it was accepted before. */
  downloadModel(modelId: string, acceptedLicence: string | null): Promise<void>;
  pauseModel(modelId: string): Promise<void>;
  /** Deletes what has come of a model. */
  cancelModel(modelId: string): Promise<void>;
  removeModel(kind: OfferKind, name: string): Promise<void>;
  /** The bytes of a sample clip. */
  sample(modelId: string, sample: string, signal?: Signal): Promise<Uint8Array>;
  /** Downloads of models, whenever one of them changes; and changes of the list of models. */
  onModels(listener: ModelListener): () => void;
}

export function createClient(options: ClientOptions): Client {
  const { platform, timing } = options;
  const jobListeners = new Set<JobListener>();
  const diskListeners = new Set<(shortages: readonly DiskShortage[]) => void>();
  const modelListeners = new Set<ModelListener>();
  /** Unfinished jobs, to ask about when the server has been silent. */
  const open = new Set<string>();
  /** Number of estimates requested so far, which is the id of the newest. */
  let estimates = 0;

  const session = createSession({
    ...options,
    async askForLife(connection) {
      const jobId = [...open][0];
      if (jobId === undefined) await connection.request({ type: 'job-list', afterJobId: null });
      else tell((await connection.request({ type: 'job-get', jobId })).job);
    },
  });
  const run = createRun({
    online: (signal) => session.online(signal),
    progressed: (connection) => session.progressed(connection),
    maxLosses: timing.maxLosses,
  });

  function tell(job: JobView): void {
    if (isOutcome(job.state)) open.delete(job.jobId);
    else open.add(job.jobId);
    for (const listener of [...jobListeners]) listener.onJob(job);
  }

  session.onConnected((connection) => {
    connection.onEvent((event) => {
      if (event.type === 'disk-changed') {
        for (const listener of [...diskListeners]) listener(event.shortages);
      } else if (event.type === 'model-downloads') {
        for (const listener of [...modelListeners]) listener.onDownloads(event.downloads);
      } else if (event.type === 'models-changed') {
        for (const listener of [...modelListeners]) listener.onChanged();
      } else if (event.type === 'job-positions') {
        for (const listener of [...jobListeners]) listener.onPositions?.(event.positions);
      } else if (event.type === 'job-picture') void showPicture(connection, event);
      else if (event.type === 'job-changed') tell(event.job);
      else if (event.type === 'job-progress') {
        for (const listener of [...jobListeners]) listener.onProgress(event.jobId, event.progress);
      }
    });
    // Changes of the jobs between two connections were not received.
    listJobs(connection).then(
      (jobs) => jobs.forEach(tell),
      () => undefined, // The connection has ended: the next one asks again.
    );
  });

  /** A picture that is cut off is of no use: there will be another. */
  async function showPicture(
    connection: Connection,
    { jobId, streamId, sizeBytes, frameIndex }: JobPicture,
  ): Promise<void> {
    const jpeg = await receive(connection, streamId, sizeBytes).catch(() => null);
    if (jpeg === null) return;
    for (const listener of [...jobListeners]) listener.onPicture?.(jobId, { jpeg, frameIndex });
  }

  function ask<Type extends Request['type']>(
    request: RequestOf<Type> & { readonly type: Type },
    signal?: Signal,
  ): Promise<ReplyTo<Type>> {
    return run(({ connection }) => connection.request<Type>(request), signal);
  }

  async function listJobs(connection: Connection): Promise<readonly JobView[]> {
    const all: JobView[] = [];
    for (;;) {
      const afterJobId = all.at(-1)?.jobId ?? null;
      const { jobs, isComplete } = await connection.request({ type: 'job-list', afterJobId });
      all.push(...jobs);
      if (isComplete || jobs.length === 0) return all;
    }
  }

  const told = (job: JobView): JobView => {
    tell(job);
    return job;
  };

  return {
    get link() {
      return session.state;
    },
    onLink: (listener) => session.subscribe(listener),
    onJobs(listener) {
      jobListeners.add(listener);
      return () => void jobListeners.delete(listener);
    },
    onDisks(listener) {
      diskListeners.add(listener);
      return () => void diskListeners.delete(listener);
    },
    onModels(listener) {
      modelListeners.add(listener);
      return () => void modelListeners.delete(listener);
    },
    start: () => session.start(),
    stop: () => session.stop(),
    retryNow: () => session.retryNow(),
    pair: (code) => session.pair(code),
    forget: () => session.forget(),
    online: (signal) => session.online(signal),
    gaveUp: session.gaveUp,
    // TypeScript does not see that the two generic signatures are one.
    request: ask as Client['request'],
    upload: (source, uploadOptions) => sendClip(run, platform, source, uploadOptions),
    download: (jobId, sink, downloadOptions) => fetchResult(run, platform.createSha256, jobId, sink, downloadOptions),
    frame: (wish, signal) => fetchFrame(run, wish, signal),
    controlPicture: (wish, signal) => fetchControlPicture(run, wish, signal),
    frames: (wish, signal) => fetchFrames(run, wish, signal),
    async playback(jobId, side, signal) {
      const { url, expiresInSeconds, frames, frameRate, sizeBytes } = await orCanceled(
        ask({ type: 'playback-get', jobId, side }, signal),
        signal,
      );
      const address = session.address?.replace(/\/$/, '') ?? '';
      return { url: `${address}${url}`, expiresInSeconds, frames, frameRate, sizeBytes };
    },
    async estimate(wish, signal) {
      const estimateId = (estimates += 1);
      const answer = await orCanceled(ask({ type: 'estimate', estimateId, ...wish }, signal), signal);
      // The answer to an older question is useless.
      if (answer.type === 'estimate-canceled' || answer.estimateId !== estimates) throw new CanceledError();
      return { edit: answer.edit, preview: answer.preview };
    },
    createJob: async (wish, signal) => told((await ask({ type: 'job-create', ...wish }, signal)).job),
    job: async (jobId, signal) => told((await ask({ type: 'job-get', jobId }, signal)).job),
    jobs: (signal) => run(({ connection }) => listJobs(connection), signal),
    order: async (order, jobId) => {
      const connection = await session.online();
      return told((await connection.request<JobOrder>({ type: order, jobId })).job);
    },
    moveJob: async (jobId, beforeJobId) => told((await ask({ type: 'job-move', jobId, beforeJobId })).job),
    deleteJob: async (jobId) => {
      await ask({ type: 'job-delete', jobId });
    },
    models: async (signal) => {
      const lists = await ask({ type: 'models-get' }, signal);
      const { models, loras, controlNets, notices, folders, offers, freeBytes } = lists;
      return { models, loras, controlNets, notices, folders, offers, freeBytes };
    },
    async storage(signal) {
      const { clipsBytes, resultsBytes, cacheBytes, freeBytes } = await ask({ type: 'storage-get' }, signal);
      return { clipsBytes, resultsBytes, cacheBytes, freeBytes };
    },
    licence: async (modelId, signal) => {
      const { name, url, text, sha256 } = await ask({ type: 'licence-get', modelId }, signal);
      return { modelId, name, url, text, sha256 };
    },
    downloadModel: async (modelId, acceptedLicence) => {
      await ask({ type: 'model-download', modelId, acceptedLicence });
    },
    pauseModel: async (modelId) => {
      await ask({ type: 'model-download-pause', modelId });
    },
    cancelModel: async (modelId) => {
      await ask({ type: 'model-download-cancel', modelId });
    },
    removeModel: async (kind, name) => {
      // A second try would find nothing to remove.
      const connection = await session.online();
      await connection.request({ type: 'model-remove', kind, name });
    },
    sample: (modelId, sample, signal) => fetchPicture(run, { type: 'sample-get', modelId, sample }, signal),
    diagnostics: async (signal) => (await ask({ type: 'diagnostics-get' }, signal)).checks,
  };
}
