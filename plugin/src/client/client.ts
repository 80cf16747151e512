// The companion server as the panel uses it: every promise survives the end of a connection where asking again changes
// nothing, and events of jobs come as long as the client lives. No DOM, no file, no Premiere.

import type { Check } from '../../../protocol/diagnostics.ts';
import type { Estimates } from '../../../protocol/estimate.ts';
import { isOutcome, type JobView, type QueuePosition } from '../../../protocol/job.ts';
import type { EditWish } from '../../../protocol/job-messages.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import type { ReplyTo, Request, RequestOf } from '../../../protocol/replies.ts';
import type { DiskShortage } from '../../../protocol/session-messages.ts';
import { systemClock, type Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import { fetchResult, type DownloadOptions, type ResultSink } from './download.ts';
import { fetchFrame, type FrameWish } from './frame.ts';
import type { LinkState } from './link-state.ts';
import { isLost, StoppedError } from './problem.ts';
import { createSession, type TokenStore } from './session.ts';
import { orStopped, throwIfStopped, type StopSignal } from './signal.ts';
import { openGlobalSocket, type OpenSocket } from './socket.ts';
import { sendClip, type ClipSource, type UploadedClip, type UploadOptions } from './upload.ts';

export interface ClientOptions {
  readonly url: string;
  readonly client: { readonly name: string; readonly version: string };
  readonly tokens: TokenStore;
  /** Default: the global WebSocket. */
  readonly openSocket?: OpenSocket;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface JobWish extends EditWish {
  /** Chosen once per edit: asking twice makes one job. */
  readonly key: string;
  readonly priority: number;
}

export interface JobListener {
  onJob(job: JobView): void;
  onProgress(jobId: string, progress: EditProgress): void;
  /** Jobs that wait have moved in the queue. */
  onPositions?(positions: readonly QueuePosition[]): void;
}

export type JobOrder = 'job-cancel' | 'job-pause' | 'job-resume';

export interface Client {
  readonly link: LinkState;
  onLink(listener: (state: LinkState) => void): () => void;
  /** What happens to this client's jobs; after every connection all that are known are told anew. */
  onJobs(listener: JobListener): () => void;
  /** The server's disks that are full, whenever that changes. */
  onDisks(listener: (shortages: readonly DiskShortage[]) => void): () => void;
  start(): void;
  stop(): void;
  retryNow(): void;
  pair(code: string): Promise<void>;
  forget(): Promise<void>;
  upload(source: ClipSource, options: UploadOptions): Promise<UploadedClip>;
  download(jobId: string, sink: ResultSink, options?: DownloadOptions): Promise<void>;
  frame(wish: FrameWish, signal?: StopSignal): Promise<Uint8Array>;
  /** What an edit and its preview would take. Rejected with StoppedError once a newer one is asked. */
  estimate(wish: EditWish, signal?: StopSignal): Promise<Estimates>;
  createJob(wish: JobWish, signal?: StopSignal): Promise<JobView>;
  job(jobId: string, signal?: StopSignal): Promise<JobView>;
  jobs(signal?: StopSignal): Promise<readonly JobView[]>;
  order(order: JobOrder, jobId: string): Promise<JobView>;
  /** Moves a job that waits to before another one, or to the end (null). */
  moveJob(jobId: string, beforeJobId: string | null): Promise<JobView>;
  deleteJob(jobId: string): Promise<void>;
  diagnostics(signal?: StopSignal): Promise<readonly Check[]>;
}

export function createClient(options: ClientOptions): Client {
  const jobListeners = new Set<JobListener>();
  const diskListeners = new Set<(shortages: readonly DiskShortage[]) => void>();
  /** Jobs that are not over, to ask about when the server has been silent. */
  const open = new Set<string>();
  /** Asked so far; the last of them is the id of the newest. */
  let estimates = 0;

  const session = createSession({
    ...options,
    openSocket: options.openSocket ?? openGlobalSocket,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    async askForLife(connection) {
      const jobId = [...open][0];
      if (jobId === undefined) await connection.request<'job-list'>({ type: 'job-list', afterJobId: null });
      else tell((await connection.request<'job-get'>({ type: 'job-get', jobId })).job);
    },
  });
  const online = (signal?: StopSignal): Promise<Connection> => session.online(signal);

  function tell(job: JobView): void {
    if (isOutcome(job.state)) open.delete(job.jobId);
    else open.add(job.jobId);
    for (const listener of [...jobListeners]) listener.onJob(job);
  }

  session.onConnected((connection) => {
    connection.onEvent((event) => {
      if (event.type === 'disk-changed') {
        for (const listener of [...diskListeners]) listener(event.shortages);
      } else if (event.type === 'job-positions') {
        for (const listener of [...jobListeners]) listener.onPositions?.(event.positions);
      } else if (event.type === 'job-changed') tell(event.job);
      else if (event.type === 'job-progress') {
        for (const listener of [...jobListeners]) listener.onProgress(event.jobId, event.progress);
      }
    });
    // What has happened to the jobs in between was told to nobody.
    listJobs(connection).then(
      (jobs) => jobs.forEach(tell),
      () => undefined, // The connection has ended: the next one asks again.
    );
  });

  /** Sends a request that may be sent twice; goes on with the next connection when one ends. */
  async function ask<Type extends Request['type']>(
    request: RequestOf<Type>,
    signal?: StopSignal,
  ): Promise<ReplyTo<Type>> {
    for (;;) {
      const connection = await online(signal);
      try {
        return await connection.request<Type>(request);
      } catch (error) {
        throwIfStopped(signal);
        if (!isLost(error)) throw error;
      }
    }
  }

  async function listJobs(connection: Connection): Promise<readonly JobView[]> {
    const all: JobView[] = [];
    for (;;) {
      const afterJobId = all.at(-1)?.jobId ?? null;
      const { jobs, isComplete } = await connection.request<'job-list'>({
        type: 'job-list',
        afterJobId,
      });
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
    start: () => session.start(),
    stop: () => session.stop(),
    retryNow: () => session.retryNow(),
    pair: (code) => session.pair(code),
    forget: () => session.forget(),
    upload: (source, uploadOptions) => sendClip(online, source, uploadOptions),
    download: (jobId, sink, downloadOptions) => fetchResult(online, jobId, sink, downloadOptions),
    frame: (wish, signal) => fetchFrame(online, wish, signal),
    async estimate(wish, signal) {
      const estimateId = (estimates += 1);
      const answer = await orStopped(ask<'estimate'>({ type: 'estimate', estimateId, ...wish }, signal), signal);
      // The answer to an older question is of no use, whatever it says.
      if (answer.type === 'estimate-canceled' || answer.estimateId !== estimates) throw new StoppedError();
      return { edit: answer.edit, preview: answer.preview };
    },
    createJob: async (wish, signal) => told((await ask<'job-create'>({ type: 'job-create', ...wish }, signal)).job),
    job: async (jobId, signal) => told((await ask<'job-get'>({ type: 'job-get', jobId }, signal)).job),
    jobs: async (signal) => listJobs(await online(signal)),
    order: async (order, jobId) => {
      const connection = await online();
      return told((await connection.request<JobOrder>({ type: order, jobId })).job);
    },
    moveJob: async (jobId, beforeJobId) => told((await ask<'job-move'>({ type: 'job-move', jobId, beforeJobId })).job),
    deleteJob: async (jobId) => {
      await ask<'job-delete'>({ type: 'job-delete', jobId });
    },
    diagnostics: async (signal) => (await ask<'diagnostics-get'>({ type: 'diagnostics-get' }, signal)).checks,
  };
}
