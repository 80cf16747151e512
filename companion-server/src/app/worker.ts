// A process of a farm that has no clients: it does jobs that the server of the farm has queued, one at a time. Clips come
// from the shared store, and results go there (docs/farm.md).

import { join } from 'node:path';
import { inspect } from 'node:util';
import { jobArtifact, clipsFolder } from '../artifacts/ids.ts';
import { openSharedArtifacts } from '../artifacts/open-shared.ts';
import { findSharedClip } from '../clips/shared-clips.ts';
import { createEngine } from '../engine/worker/supervisor.ts';
import { EditError } from '../errors.ts';
import { joinFarm } from '../farm/farm.ts';
import { takenBytesBelow } from '../files/folder-size.ts';
import type { JobExecutor } from '../jobs/executor.ts';
import { createKnownClips } from '../media/probe/known-clips.ts';
import { lockFile } from '../store/database.ts';
import { closeToOthers } from '../store/private-folder.ts';
import type { Config } from './config.ts';
import { createEdits, openLibrary } from './edits.ts';
import type { Log } from './log.ts';
import { version } from './version.ts';

export interface WorkerDeps {
  /** With `farm`. */
  readonly config: Config;
  readonly log: Log;
  /** What the engine process runs. */
  readonly engineEntry: URL;
  /** As of the queue. Default: 30 seconds. */
  readonly lockMs?: number;
}

export interface RunningWorker {
  /** As the list of workers has it. */
  readonly name: string;
  /**
   * Takes no more jobs, returns the running one to the queue after its last stored step, and ends. A second call waits for
   * the same end.
   */
  close(): Promise<void>;
}

/** Processes of one machine that do jobs: each has a folder of its own. */
const maxWorkers = 64;

/** Clips that stay on this machine for the next jobs. */
const keptClipBytes = 20e9;

/**
 * Starts a worker. Throws EditError 'invalid-request' when the farm is not set up, a package is missing or the store is
 * not there, 'connection-lost' when Redis does not answer.
 */
export async function startWorker(deps: WorkerDeps): Promise<RunningWorker> {
  const closers: Closer[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  const close = (): Promise<void> => (closing ??= closeAll());
  try {
    return { name: await open(deps, closers), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closer = () => void | Promise<void>;

/** `closers` receives what ends each part, to be called in the opposite order. Returns the name of the worker. */
async function open({ config, log, engineEntry, lockMs }: WorkerDeps, closers: Closer[]): Promise<string> {
  const { farm: farmConfig = null, dataDir } = config;
  if (farmConfig === null) {
    throw new EditError('invalid-request', 'A worker needs TOKENFLOW_QUEUE and TOKENFLOW_STORE.', {
      hint: 'They are the same as those of the server whose jobs it does; see docs/farm.md.',
    });
  }
  closeToOthers(dataDir);
  const { folder, unlock } = takeFolder(join(dataDir, 'workers'));
  closers.push(unlock);
  const mirrorDir = join(folder, 'mirror');
  const farm = await joinFarm({
    address: farmConfig.queue,
    doesJobs: true,
    version,
    instanceId: null,
    onFailure: (error) => log.warn('The queue of jobs cannot be reached.', { error: String(error) }),
    ...(lockMs === undefined ? {} : { lockMs }),
  });
  closers.push(() => farm.close());
  const artifacts = await openSharedArtifacts(farmConfig.store, { mirrorDir, endsRemovals: false });
  const engine = createEngine({
    entry: engineEntry,
    onStderr: (text) => log.debug('engine', { text: text.trimEnd() }),
  });
  closers.push(() => engine.close());
  const library = openLibrary(config, log);
  closers.push(() => library.close());
  const edits = createEdits({
    config,
    log,
    engine,
    artifacts,
    library,
    clipOf: (_owner, clipId) => findSharedClip(artifacts, clipId),
    uploadOf: (_owner, sha256) => findSharedClip(artifacts, sha256),
    clipInfoOf: createKnownClips().infoOf,
  });

  /** Nothing uses the copies between two jobs. */
  async function freeCopies(jobId: string): Promise<void> {
    await artifacts.forget(jobArtifact(jobId));
    if ((await takenBytesBelow(join(mirrorDir, clipsFolder))) > keptClipBytes) await artifacts.forget(clipsFolder);
  }

  const executor: JobExecutor = {
    ...edits,
    async run(job, hooks) {
      log.info('A job begins.', { jobId: job.jobId });
      try {
        return await edits.run(job, hooks);
      } finally {
        await freeCopies(job.jobId).catch((error: unknown) =>
          log.warn('Copies of a job could not be removed.', { jobId: job.jobId, error: String(error) }),
        );
        log.info('The work on a job has ended.', { jobId: job.jobId });
      }
    },
    // The files of all jobs are the server's to clear up.
    sweep: () => Promise.resolve(),
  };
  const jobs = await farm.openQueue({
    executor,
    onFailure: (jobId, error) => log.warn('A job failed.', { jobId, error: inspect(error) }),
  });
  closers.push(() => jobs.close());
  return farm.name ?? '';
}

/** A folder that no other process of this machine works in. */
function takeFolder(parent: string): { readonly folder: string; readonly unlock: () => void } {
  for (let index = 1; ; index++) {
    const folder = join(parent, String(index));
    try {
      const hint = `At most ${maxWorkers} workers run on one machine.`;
      return { folder, unlock: lockFile(join(folder, 'worker.lock'), 'Too many workers run.', hint) };
    } catch (error) {
      const isTaken = error instanceof EditError && error.code === 'invalid-request';
      if (!isTaken || index >= maxWorkers) throw error;
    }
  }
}
