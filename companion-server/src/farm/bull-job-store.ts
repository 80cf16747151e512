// Jobs in Redis, which the servers and workers of a studio share. A row of each job is kept there (job-scripts.ts); BullMQ
// says which process may do one (turns.ts). Changes are published to all processes, so that a cancel reaches the one that
// works.

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { EditReport } from '../../../protocol/edit-report.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import { isOutcome, jobStates, type JobState } from '../../../protocol/job.ts';
import { createTurns } from '../../../protocol/turns.ts';
import { changeJob, newJob, type Job, type JobChange } from '../jobs/job.ts';
import { clipsOf, refusals, type JobEvent, type JobRequest, type JobRow, type JobStore } from '../jobs/store.ts';
import { addScript, changeScript, moveScript, progressScript, removeScript } from './job-scripts.ts';
import type { QueuePackages } from './packages.ts';
import { openTurns } from './turns.ts';

export interface BullJobStoreOptions {
  readonly packages: Pick<QueuePackages, 'bullmq'>;
  /** Makes a connection; `close` ends it. */
  readonly connect: () => Redis;
  /** What all keys begin with, without `:` at the end. */
  readonly prefix: string;
  /** After so long without a sign of the process that does a job, another one goes on with it. Default: 30 seconds. */
  readonly lockMs?: number;
  readonly onFailure?: (error: unknown) => void;
}

export interface BullJobStore extends JobStore {
  close(): Promise<void>;
}

/** A row with what only this file needs. */
interface SharedRow {
  readonly row: JobRow;
  readonly revision: string;
  /** The turn in which the job is done; empty where it is not. */
  readonly turn: string;
}

/** What all processes are told. */
interface Published extends JobEvent {
  readonly origin: string;
  readonly revision: number;
  readonly turn: string;
}

/** The changes that only the process may make that does the job. */
const ofWorker: readonly JobChange['type'][] = ['progress', 'step', 'finish', 'fail', 'engine-died', 'stop'];

export async function openBullJobStore(options: BullJobStoreOptions): Promise<BullJobStore> {
  const { packages, connect, prefix, lockMs = 30_000, onFailure = () => undefined } = options;
  const origin = randomUUID();
  const base = `${prefix}:`;
  const channel = `${base}events`;
  const redis = connect();
  const subscriber = connect();
  const bullConnection = connect();
  for (const connection of [redis, subscriber, bullConnection]) connection.on('error', onFailure);
  const listeners = new Set<(event: JobEvent) => void>();
  /** The last revision that the listeners have been told of, by job. */
  const told = new Map<string, number>();
  /** The turns of this process, by job. */
  const held = new Map<string, string>();
  /** What is asked one after the other is done one after the other. */
  const order = createTurns();

  const inOrder =
    <Parameters extends readonly unknown[], Result>(work: (...parameters: Parameters) => Promise<Result>) =>
    (...parameters: Parameters): Promise<Result> =>
      order.take(() => work(...parameters));

  const turns = await openTurns({
    packages,
    redis: bullConnection,
    prefix: `${base}bull`,
    lockMs,
    onStalled: (turnId) => void order.take(() => giveUpTurn(turnId)).catch(onFailure),
    onLost: (turnId) => void order.take(() => loseTurn(turnId)).catch(onFailure),
    onFailure,
  });

  await subscriber.subscribe(channel);
  subscriber.on('message', (_channel: string, message: string) => {
    const event = JSON.parse(message) as Published;
    if (event.origin === origin) return;
    const { jobId } = event.row;
    const turn = held.get(jobId);
    if (turn !== undefined && turn !== event.turn) {
      held.delete(jobId);
      turns.end(turn).catch(onFailure);
    }
    tell(event);
  });

  function tell({ row, isQueueChanged, revision }: Omit<Published, 'origin' | 'turn'>): void {
    if (revision <= (told.get(row.jobId) ?? 0)) return;
    told.set(row.jobId, revision);
    for (const listener of [...listeners]) listener({ row, isQueueChanged });
  }

  async function publish(jobId: string, isQueueChanged: boolean): Promise<JobRow> {
    const { row, revision, turn } = await requireRow(jobId);
    const event: Published = { row, isQueueChanged, revision: Number(revision), turn, origin };
    try {
      await redis.publish(channel, JSON.stringify(event));
    } finally {
      // Nothing is waited for after it: who has asked for the change is answered before anything that follows from it.
      tell(event);
    }
    return row;
  }

  async function read(jobId: string): Promise<SharedRow | undefined> {
    const [fields, position] = await Promise.all([
      redis.hgetall(`${base}job:${jobId}`),
      redis.lpos(`${base}queue`, jobId),
    ]);
    return fields['owner'] === undefined ? undefined : toSharedRow(jobId, fields, position);
  }

  async function requireRow(jobId: string): Promise<SharedRow> {
    const found = await read(jobId);
    if (found === undefined) throw refusals.missing(jobId);
    return found;
  }

  async function rowsOf(jobIds: readonly string[]): Promise<readonly JobRow[]> {
    return (await Promise.all(jobIds.map(read))).flatMap((found) => found?.row ?? []);
  }

  /** Writes a change if the row is as it was read. `turn`: of the process that begins the job. */
  async function write({ row, revision, turn: before }: SharedRow, job: Job, change: JobChange, turn = before) {
    const { jobId, request } = row;
    const isOver = isOutcome(job.state);
    const isRunning = job.state === 'running';
    const place = job.state !== 'queued' ? 'none' : change.type === 'resume' ? 'by-priority' : 'first';
    const written = await redis.eval(
      changeScript,
      0,
      ...[base, jobId, revision, storedText(job), job.state, place],
      ...[isRunning ? turn : '', isOver ? '1' : '0', job.report === null ? '' : modelKey(request.model)],
    );
    return written === 1;
  }

  async function apply(jobId: string, change: JobChange, isAllowed: (found: SharedRow) => boolean = () => true) {
    let wanted: string | undefined;
    for (;;) {
      const found = await read(jobId);
      if (found === undefined || !isAllowed(found)) return found?.row;
      if (ofWorker.includes(change.type) && held.get(jobId) !== found.turn) return found.row;
      const { row } = found;
      // A write whose answer was lost with the connection is sent again, and finds the row as it has left it.
      const isWritten = wanted === storedText(row.job);
      const job = isWritten ? row.job : changeJob(row.job, change);
      if (job === row.job && !isWritten) return row;
      if (change.type === 'progress') {
        await redis.eval(progressScript, 0, base, jobId, found.turn, JSON.stringify(change.progress));
        return publish(jobId, false);
      }
      wanted = storedText(job);
      if (!isWritten && !(await write(found, job, change))) continue;
      const turn = held.get(jobId);
      if (job.state !== 'running' && turn !== undefined) {
        held.delete(jobId);
        await redis.hdel(`${base}turns`, turn);
        await turns.end(turn);
      }
      // A turn that BullMQ has returned waits already.
      if (job.state === 'queued' && change.type !== 'server-died') await turns.add();
      return publish(jobId, isWritten || job.state !== row.job.state);
    }
  }

  /** The process that did the job has said nothing for too long. */
  async function giveUpTurn(turnId: string): Promise<void> {
    const jobId = await redis.hget(`${base}turns`, turnId);
    if (jobId === null) return;
    await apply(jobId, { type: 'server-died' }, ({ turn }) => turn === turnId);
    await redis.hdel(`${base}turns`, turnId);
  }

  /** Whoever works here on the job learns that it is not theirs any more. */
  async function loseTurn(turnId: string): Promise<void> {
    for (const [jobId, turn] of held) {
      if (turn !== turnId) continue;
      held.delete(jobId);
      const found = await read(jobId);
      if (found === undefined) return;
      const row: JobRow = { ...found.row, job: { ...found.row.job, state: 'queued' } };
      for (const listener of [...listeners]) listener({ row, isQueueChanged: false });
    }
  }

  async function claimNext(): Promise<JobRow | undefined> {
    const turnId = await turns.take();
    if (turnId === undefined) return undefined;
    try {
      // It may be the turn of a process that has died, which nobody has noticed yet.
      await giveUpTurn(turnId);
      for (;;) {
        const jobId = await redis.lindex(`${base}queue`, 0);
        if (jobId === null) break;
        const found = await read(jobId);
        const job = found === undefined ? undefined : changeJob(found.row.job, { type: 'start' });
        if (found === undefined || job === undefined || job === found.row.job) continue;
        const isWritten = await write(found, job, { type: 'start' }, turnId);
        // The answer to the write may have been lost with the connection.
        if (!isWritten && (await read(jobId))?.turn !== turnId) continue;
        held.set(jobId, turnId);
        return await publish(jobId, true);
      }
      await turns.end(turnId);
      return undefined;
    } catch (error) {
      await turns.end(turnId).catch(onFailure);
      throw error;
    }
  }

  /** A process that ends, or loses Redis, between queuing a job and making its turn leaves the job without one. */
  async function makeMissingTurns(): Promise<void> {
    const [queued, waiting] = await Promise.all([redis.llen(`${base}queue`), turns.waiting()]);
    for (let missing = queued - waiting; missing > 0; missing--) await turns.add();
  }

  /** What was published while the connection was gone is told from the rows. */
  async function catchUp(): Promise<void> {
    await subscriber.subscribe(channel);
    for (const jobId of new Set([...told.keys(), ...(await redis.zrange(`${base}unfinished`, 0, '-1'))])) {
      const found = await read(jobId);
      if (found !== undefined) tell({ row: found.row, isQueueChanged: true, revision: Number(found.revision) });
    }
  }

  /** Whoever has missed that a job waits learns of it. */
  async function repair(): Promise<void> {
    await makeMissingTurns();
    const first = await redis.lindex(`${base}queue`, 0);
    const found = first === null || held.size > 0 ? undefined : await read(first);
    if (found === undefined) return;
    for (const listener of [...listeners]) listener({ row: found.row, isQueueChanged: false });
  }

  subscriber.on('ready', () => void order.take(catchUp).catch(onFailure));
  const repairing = setInterval(() => void order.take(repair).catch(onFailure), lockMs);

  return {
    add: inOrder(async ({ jobId, owner, createdAt, request }, limits) => {
      const [id, added, unfinished] = (await redis.eval(
        addScript,
        0,
        ...[
          base,
          jobId,
          owner,
          request.key,
          request.priority,
          createdAt,
          JSON.stringify(request),
          JSON.stringify(newJob),
        ],
        ...[limits.all, limits.unfinished],
      )) as readonly [string, number, number?];
      if (id === '') throw refusals.tooMany(limits, { all: added, unfinished: unfinished ?? 0 });
      // The answer to a first try may have been lost with the connection: then the job is this one.
      if (added === 0 && id !== jobId) return (await requireRow(id)).row;
      await turns.add();
      return publish(id, true);
    }),
    get: inOrder(async (jobId) => (await read(jobId))?.row),
    getByKey: inOrder(async (owner, key) => {
      const jobId = await redis.hget(`${base}keys:${owner}`, key);
      return jobId === null ? undefined : (await read(jobId))?.row;
    }),
    list: inOrder(async (owner, afterJobId, most) => {
      const after = afterJobId === null ? null : await redis.zscore(`${base}made:${owner}`, afterJobId);
      const ids = await redis.zrangebyscore(`${base}made:${owner}`, `(${after ?? 0}`, '+inf', 'LIMIT', 0, most);
      return rowsOf(ids);
    }),
    queue: inOrder(async () => {
      const fields = ['#', `${base}job:*->owner`, `${base}job:*->priority`];
      const gets = fields.flatMap((field) => ['GET', field]);
      const found = (await redis.call('SORT', `${base}queue`, 'BY', 'nosort', ...gets)) as readonly string[];
      return Array.from({ length: found.length / fields.length }, (_, index) => {
        const [jobId = '', owner = '', priority] = found.slice(index * fields.length, (index + 1) * fields.length);
        return { jobId, owner, priority: Number(priority) };
      });
    }),
    claimNext: inOrder(claimNext),
    change: inOrder((jobId, change) => apply(jobId, change)),
    move: inOrder(async (jobId, beforeJobId) => {
      for (const id of [jobId, ...(beforeJobId === null ? [] : [beforeJobId])]) {
        const { row } = await requireRow(id);
        if (row.job.state !== 'queued') throw refusals.notQueued(id, row.job.state);
      }
      if (beforeJobId === jobId) return (await requireRow(jobId)).row;
      const moved = await redis.eval(moveScript, 0, base, jobId, beforeJobId ?? '');
      if (moved !== 1) throw refusals.notQueued(jobId, (await requireRow(jobId)).row.job.state);
      return publish(jobId, true);
    }),
    remove: inOrder(async (jobId) => {
      const found = await read(jobId);
      if (found === undefined) return;
      const { owner, request } = found.row;
      await redis.eval(removeScript, 0, base, jobId, owner, request.key, modelKey(request.model));
      told.delete(jobId);
    }),
    recover: inOrder(makeMissingTurns),
    needsClip: inOrder(async (owner, clipId) => {
      const rows = await rowsOf(await redis.smembers(`${base}unfinished:${owner}`));
      return rows.some(({ request }) => clipsOf(request).includes(clipId));
    }),
    unfinished: inOrder(async () => rowsOf(await redis.zrange(`${base}unfinished`, 0, '-1'))),
    countByState: inOrder(async () => {
      const states = Object.values(await redis.hgetall(`${base}states`));
      const countOf = (state: JobState): number => states.filter((other) => other === state).length;
      return Object.fromEntries(jobStates.map((state) => [state, countOf(state)])) as Record<JobState, number>;
    }),
    lastReport: inOrder(async (model): Promise<EditReport | null> => {
      const [jobId] = await redis.zrange(`${base}done:${modelKey(model)}`, -1, '-1');
      return jobId === undefined ? null : ((await read(jobId))?.row.job.report ?? null);
    }),
    states: inOrder(async () => new Map(Object.entries(await redis.hgetall(`${base}states`)) as [string, JobState][])),
    subscribe(listener) {
      const own = (event: JobEvent): void => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    async close() {
      clearInterval(repairing);
      await order.over();
      await turns.close();
      for (const connection of [redis, subscriber, bullConnection]) connection.disconnect();
    },
  };
}

/** The row has its progress in a field of its own. */
function storedText(job: Job): string {
  return JSON.stringify({ ...job, progress: null });
}

/** Never empty. */
function modelKey(model: string | null): string {
  return JSON.stringify(model);
}

function toSharedRow(jobId: string, fields: Readonly<Record<string, string>>, position: number | null): SharedRow {
  const text = (name: string): string => fields[name] ?? '';
  const job = JSON.parse(text('job')) as Job;
  const progress = JSON.parse(text('progress')) as EditProgress | null;
  const request = { ...(JSON.parse(text('request')) as JobRequest), priority: Number(text('priority')) };
  return {
    row: {
      jobId,
      owner: text('owner'),
      createdAt: text('createdAt'),
      request,
      job: { ...job, progress },
      queuePosition: job.state === 'queued' ? position : null,
    },
    revision: text('revision'),
    turn: text('turn'),
  };
}
