// The videos of results that browsers play: made when a job ends or when they are asked for, kept with the job, and gone with
// the job or its clip. A video that is asked for twice while it is made is made once.

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JobView } from '../../../protocol/job.ts';
import { windowBytes } from '../../../protocol/limits.ts';
import type { Rational } from '../../../protocol/media-facts.ts';
import type { FrameSide, FramesGet } from '../../../protocol/messages/stream-messages.ts';
import { createTurns } from '../../../protocol/turns.ts';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { playbackArtifact } from '../artifacts/ids.ts';
import type { ClipStore } from '../clips/clip-store.ts';
import { CanceledError, EditError, throwIfCanceled } from '../errors.ts';
import type { JobQueue } from '../jobs/queue.ts';
import { resultOf } from '../jobs/results.ts';
import { readJpegs } from '../media/playback/read-jpegs.ts';
import { writePlayback } from '../media/playback/write-playback.ts';
import type { ClipInfo } from '../media/probe/clip-info.ts';
import { nameFiles } from '../without-paths.ts';

export interface PlaybackDeps {
  readonly jobs: Pick<JobQueue, 'get' | 'list' | 'ownerOf'>;
  readonly clips: Pick<ClipStore, 'get'>;
  readonly artifacts: ArtifactStore;
  /** The facts about a video file. */
  readonly infoOf: (path: string) => Promise<ClipInfo>;
  /** Called with the reason when a video could not be made in advance; the next request tries again. */
  readonly onUnmade?: (jobId: string, error: unknown) => void;
}

export interface PlaybackFile {
  /** Absolute. */
  readonly path: string;
  /** Another file has another one. */
  readonly version: string;
  readonly sizeBytes: number;
  readonly frames: number;
  readonly frameRate: Rational;
}

export interface Playback {
  /**
   * The video of a side of the owner's job, which is made if there is none. Throws EditError 'job-missing',
   * 'invalid-request' for a job without a result and for a preview, 'clip-missing', and what reading and writing throw.
   */
  open(owner: string, jobId: string, side: FrameSide): Promise<PlaybackFile>;
  /** Frames of such a video as JPEGs: fewer where it ends, or where the window of a connection is full. Throws as `open`. */
  pictures(owner: string, request: Omit<FramesGet, 'type' | 'requestId'>): Promise<readonly Uint8Array[]>;
  /** Makes the videos of the original and the edit of a job that has just ended. Never rejects. */
  prepare(jobId: string): Promise<void>;
  /** The owner has deleted the clip: what shows it is deleted, too. */
  forgetClip(owner: string, clipId: string): Promise<void>;
  /**
   * The job is deleted: ends what is made for it, and waits for its end, so that nothing comes into its folder any more. To be
   * called when the job is not found any more, and before its folder is removed. Never rejects.
   */
  forgetJob(jobId: string): Promise<void>;
  /** Ends what is being made, and waits for its end. */
  close(): Promise<void>;
}

/** A video that is being made. */
interface Making {
  readonly jobId: string;
  readonly done: Promise<void>;
  readonly stop: AbortController;
}

/** Videos that are made at the same time: an edit may run meanwhile. */
const madeAtOnce = 2;

export function createPlayback({ jobs, clips, artifacts, infoOf, onUnmade }: PlaybackDeps): Playback {
  const making = new Map<string, Making>();
  const turns = createTurns(madeAtOnce);
  const closing = new AbortController();

  async function make(owner: string, job: JobView, side: FrameSide, signal: AbortSignal): Promise<void> {
    const { jobId, clipId, settings, report } = job;
    throwIfCanceled(signal);
    const { artifact } = await resultOf({ jobs, artifacts }, owner, jobId);
    const resultPath = await artifacts.localPath(artifact);
    const original = side === 'edit' ? null : await clips.get(owner, clipId);
    const clipPath = original === null ? resultPath : await artifacts.localPath(original.artifact);
    const id = playbackArtifact(jobId, side);
    const file = await artifacts.localPath(id);
    const rate = report === null ? 0 : report.frameRate.numerator / report.frameRate.denominator;
    const firstFrame = Math.round((settings.startSeconds ?? 0) * rate);
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const [clip, result] = [await infoOf(clipPath), await infoOf(resultPath)];
      await writePlayback(file, { side, clip, firstFrame, result }, signal);
      await artifacts.commit(id);
      // It may have been deleted meanwhile, and its clip with it.
      if ((await jobs.get(owner, jobId)).clipId === clipId && side !== 'edit') await clips.get(owner, clipId);
    } catch (error) {
      await artifacts.remove(id);
      throw nameFiles(error, { 'the clip': clipPath, 'the result': resultPath, 'the video': file });
    }
  }

  async function ensure(owner: string, job: JobView, side: FrameSide): Promise<void> {
    const id = playbackArtifact(job.jobId, side);
    const begun = making.get(id);
    if (begun !== undefined) return begun.done;
    if ((await artifacts.facts(id)) !== null) return;
    const meanwhile = making.get(id);
    if (meanwhile !== undefined) return meanwhile.done;
    const stop = new AbortController();
    const signal = AbortSignal.any([closing.signal, stop.signal]);
    const done = turns.take(() => make(owner, job, side, signal)).finally(() => making.delete(id));
    making.set(id, { jobId: job.jobId, done, stop });
    return done;
  }

  async function open(owner: string, jobId: string, side: FrameSide): Promise<PlaybackFile> {
    const job = await jobs.get(owner, jobId);
    const { report, settings, result } = job;
    if (report === null || result === null) {
      throw new EditError('invalid-request', `Job ${jobId} has no result: it is ${job.state}.`);
    }
    if (settings.preview)
      throw new EditError('invalid-request', 'A preview has no video: its frames are no neighbours.');
    await ensure(owner, job, side);
    const id = playbackArtifact(jobId, side);
    const facts = await artifacts.facts(id);
    if (facts === null) throw new EditError('job-missing', `The video of job ${jobId} is not there any more.`);
    return {
      path: await artifacts.localPath(id),
      version: `${result.sha256.slice(0, 16)}-${side}-${facts.sizeBytes}`,
      sizeBytes: facts.sizeBytes,
      frames: report.frames,
      frameRate: report.frameRate,
    };
  }

  return {
    open,
    async pictures(owner, { jobId, side, firstFrame, frames, maxSide }) {
      const { path, frameRate, frames: all } = await open(owner, jobId, side);
      if (firstFrame >= all) {
        throw new EditError(
          'invalid-request',
          `The video has ${all} frames, 0 to ${all - 1}; frame ${firstFrame} is none of them.`,
        );
      }
      const signal = closing.signal;
      const read = readJpegs(path, { frameRate, firstFrame, frames, maxSide, signal });
      const jpegs = await read.catch((error: unknown) => {
        throw nameFiles(error, { 'the video': path });
      });
      let sizeBytes = 0;
      return jpegs.filter(({ length }, index) => (sizeBytes += length) <= windowBytes || index === 0);
    },
    async prepare(jobId) {
      try {
        const owner = await jobs.ownerOf(jobId);
        const job = await jobs.get(owner, jobId);
        if (job.settings.preview || job.result === null) return;
        await Promise.all((['edit', 'original'] as const).map((side) => ensure(owner, job, side)));
      } catch (error) {
        if (!(error instanceof CanceledError)) onUnmade?.(jobId, error);
      }
    },
    async forgetClip(owner, clipId) {
      for (const job of await jobs.list(owner)) {
        if (job.clipId !== clipId) continue;
        for (const side of ['original', 'difference', 'flicker'] as const) {
          const id = playbackArtifact(job.jobId, side);
          await making.get(id)?.done.catch(() => undefined);
          await artifacts.remove(id);
        }
      }
    },
    async forgetJob(jobId) {
      const begun = [...making.values()].filter((one) => one.jobId === jobId);
      for (const { stop } of begun) stop.abort();
      await Promise.allSettled(begun.map(({ done }) => done));
    },
    async close() {
      closing.abort();
      await Promise.allSettled([...making.values()].map(({ done }) => done));
      await turns.over();
    },
  };
}
