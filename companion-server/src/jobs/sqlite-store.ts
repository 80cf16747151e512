// The jobs in a database of this machine: a row each, written at every change of state. The queue's order is the order of
// ranks, which are whole numbers with gaps. The database answers at once, so each method is one step: nothing happens
// between its beginning and its end. One process uses the store at a time.

import type { DeviceChoice } from '../../../protocol/devices.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import { fromEarlierSettings } from '../../../protocol/earlier-settings.ts';
import type { EditSettings } from '../../../protocol/edit-settings.ts';
import { jobStates, type JobState } from '../../../protocol/job.ts';
import type { WireError } from '../../../protocol/messages/wire-error.ts';
import type { Database, Migrations, Row, SqlValue } from '../store/database.ts';
import { inOneStep } from '../store/in-one-step.ts';
import { changeJob, isBeginning, newJob, type Job, type JobChange } from './job.ts';
import { positionBefore, positionFor } from './queue-positions.ts';
import {
  refusals,
  type JobEvent,
  type JobLimits,
  type JobRow,
  type JobStore,
  type NewJob,
  type QueuedJob,
} from './store.ts';

export const jobMigrations: Migrations = {
  module: 'jobs',
  steps: [
    `CREATE TABLE jobs (
      job_id TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      key TEXT NOT NULL,
      clip_id TEXT NOT NULL,
      settings TEXT NOT NULL,
      model TEXT,
      device TEXT NOT NULL,
      priority INTEGER NOT NULL,
      created_at TEXT NOT NULL,
      rank INTEGER NOT NULL,
      state TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'paused', 'done', 'failed', 'canceled')),
      progress TEXT,
      report TEXT,
      result TEXT,
      error TEXT,
      starts INTEGER NOT NULL,
      engine_deaths INTEGER NOT NULL,
      server_deaths INTEGER NOT NULL,
      UNIQUE (owner, key)
    ) STRICT;
    CREATE INDEX jobs_by_state ON jobs (state, rank)`,
    'CREATE INDEX jobs_by_age ON jobs (owner, created_at, job_id)',
    // In the order of creation. The clock is not used for it, because it may be set back.
    `ALTER TABLE jobs ADD COLUMN number INTEGER;
     UPDATE jobs SET number = numbered.number FROM
       (SELECT job_id, row_number() OVER (ORDER BY created_at, job_id) AS number FROM jobs) AS numbered
       WHERE numbered.job_id = jobs.job_id;
     DROP INDEX jobs_by_age;
     CREATE INDEX jobs_by_number ON jobs (owner, number)`,
  ],
};

interface RankedJob extends QueuedJob {
  readonly rank: number;
}

/** `database` is opened with `jobMigrations`. */
export function createSqliteJobStore(database: Database): JobStore {
  const listeners = new Set<(event: JobEvent) => void>();
  /** The running jobs with their current progress, which is not written to the database. */
  const running = new Map<string, JobRow>();

  function queue(): RankedJob[] {
    const sql = "SELECT job_id, owner, priority, rank FROM jobs WHERE state = 'queued' ORDER BY rank, job_id";
    return database.all(sql).map((row) => ({
      jobId: text(row, 'job_id'),
      owner: text(row, 'owner'),
      priority: Number(row['priority']),
      rank: Number(row['rank']),
    }));
  }

  const queueBeside = (jobId: string): RankedJob[] => queue().filter((other) => other.jobId !== jobId);

  function positionOf(jobId: string): number {
    const sql = `SELECT count(*) AS before FROM jobs AS other, jobs AS own
      WHERE own.job_id = ? AND other.state = 'queued'
      AND (other.rank, other.job_id) < (own.rank, own.job_id)`;
    return Number(database.get(sql, jobId)?.['before']);
  }

  /** The job of a row of the table, as it is. */
  function asItIs(row: Row): JobRow {
    const jobId = text(row, 'job_id');
    return running.get(jobId) ?? toRow(row, row['state'] === 'queued' ? positionOf(jobId) : null);
  }

  function find(where: string, ...parameters: SqlValue[]): JobRow | undefined {
    const row = database.get(`SELECT * FROM jobs WHERE ${where}`, ...parameters);
    return row === undefined ? undefined : asItIs(row);
  }

  const get = (jobId: string): JobRow | undefined => running.get(jobId) ?? find('job_id = ?', jobId);

  function requireJob(jobId: string): JobRow {
    const row = get(jobId);
    if (row === undefined) throw refusals.missing(jobId);
    return row;
  }

  function requireQueued(jobId: string): JobRow {
    const row = requireJob(jobId);
    if (row.job.state !== 'queued') throw refusals.notQueued(jobId, row.job.state);
    return row;
  }

  /** Puts a queued job at a position among the other queued ones: 0 is the front. */
  function place(jobId: string, index: number, priority: number): void {
    const others = queueBeside(jobId);
    const before = others[index - 1];
    const after = others[index];
    const rank = before === undefined ? (after?.rank ?? 1) - 1 : before.rank + 1;
    let free = rank;
    for (const other of before === undefined ? [] : others.slice(index)) {
      if (other.rank > free) break;
      free += 1;
      database.run('UPDATE jobs SET rank = ? WHERE job_id = ?', free, other.jobId);
    }
    database.run('UPDATE jobs SET rank = ?, priority = ? WHERE job_id = ?', rank, priority, jobId);
  }

  function requireRoom(owner: string, limits: JobLimits): void {
    const sql = `SELECT count(*) AS all_jobs,
      count(*) FILTER (WHERE state IN ('queued', 'running', 'paused')) AS unfinished
      FROM jobs WHERE owner = ?`;
    const row = database.get(sql, owner);
    const found = { all: Number(row?.['all_jobs']), unfinished: Number(row?.['unfinished']) };
    if (found.all >= limits.all || found.unfinished >= limits.unfinished) throw refusals.tooMany(limits, found);
  }

  /** Reports a change that is written. */
  function tell(row: JobRow, isQueueChanged: boolean): JobRow {
    for (const listener of [...listeners]) listener({ row, isQueueChanged });
    return row;
  }

  function write({ jobId, request: { priority } }: JobRow, job: Job, before: Job, change: JobChange): void {
    database[isBeginning(change) ? 'transaction' : 'urgently'](() => {
      database.run(
        `UPDATE jobs SET state = ?, progress = ?, report = ?, result = ?, error = ?, starts = ?,
          engine_deaths = ?, server_deaths = ? WHERE job_id = ?`,
        ...columnsOf(job),
        jobId,
      );
      if (job.state !== 'queued' || before.state === 'queued') return;
      // Interrupted jobs continue first; a paused job has lost its position.
      const position = change.type === 'resume' ? positionFor(priority, queueBeside(jobId)) : 0;
      place(jobId, position, priority);
    });
  }

  function apply(jobId: string, change: JobChange): JobRow | undefined {
    const before = get(jobId);
    if (before === undefined) return undefined;
    const job = changeJob(before.job, change);
    if (job === before.job) return before;
    if (change.type !== 'progress') write(before, job, before.job, change);
    const queuePosition = job.state === 'queued' ? positionOf(jobId) : null;
    const row = { ...before, job, queuePosition };
    if (job.state === 'running') running.set(jobId, row);
    else running.delete(jobId);
    return tell(row, job.state !== before.job.state);
  }

  return {
    add: inOneStep(({ jobId, owner, createdAt, request }: NewJob, limits: JobLimits) => {
      const known = find('owner = ? AND key = ?', owner, request.key);
      if (known !== undefined) return known;
      requireRoom(owner, limits);
      database.transaction(() => {
        database.run(
          `INSERT INTO jobs (job_id, owner, created_at, key, clip_id, settings, model, device, priority, rank,
            number, state, progress, report, result, error, starts, engine_deaths, server_deaths)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(rank), 0) + 1 FROM jobs),
            (SELECT coalesce(max(number), 0) + 1 FROM jobs),
            ?, ?, ?, ?, ?, ?, ?, ?)`,
          ...[jobId, owner, createdAt, request.key, request.clipId, JSON.stringify(request.settings)],
          ...[request.model, request.device, request.priority, ...columnsOf(newJob)],
        );
        place(jobId, positionFor(request.priority, queueBeside(jobId)), request.priority);
      });
      return tell(requireJob(jobId), true);
    }),
    get: inOneStep(get),
    getByKey: inOneStep((owner: string, key: string) => find('owner = ? AND key = ?', owner, key)),
    list: inOneStep((owner: string, afterJobId: string | null, most: number) => {
      const sql = `SELECT * FROM jobs WHERE owner = ?
        AND number > coalesce((SELECT number FROM jobs WHERE job_id = ?), 0) ORDER BY number LIMIT ?`;
      return database.all(sql, owner, afterJobId ?? '', most).map(asItIs);
    }),
    queue: inOneStep(queue),
    claimNext: inOneStep(() => {
      const sql = "SELECT job_id FROM jobs WHERE state = 'queued' ORDER BY rank, job_id LIMIT 1";
      const first = database.get(sql);
      return first === undefined ? undefined : apply(text(first, 'job_id'), { type: 'start' });
    }),
    change: inOneStep(apply),
    move: inOneStep((jobId: string, beforeJobId: string | null) => {
      const row = requireQueued(jobId);
      if (beforeJobId === jobId) return row;
      if (beforeJobId !== null) requireQueued(beforeJobId);
      const others = queueBeside(jobId);
      const position = positionBefore(beforeJobId, others);
      const priority = (others[position] ?? others.at(-1))?.priority ?? row.request.priority;
      database.transaction(() => place(jobId, position, priority));
      return tell(requireJob(jobId), true);
    }),
    remove: inOneStep((jobId: string) => {
      database.urgently(() => database.run('DELETE FROM jobs WHERE job_id = ?', jobId));
      running.delete(jobId);
    }),
    recover: inOneStep(() => {
      // One process uses the store: a job that runs in the table but not here was left by a process that has ended.
      for (const row of database.all("SELECT job_id FROM jobs WHERE state = 'running' ORDER BY rank")) {
        const jobId = text(row, 'job_id');
        if (!running.has(jobId)) apply(jobId, { type: 'server-died' });
      }
    }),
    needsClip: inOneStep((owner: string, clipId: string) => {
      // Mattes and keyframes are named by their hash, which their id begins.
      const sql = `SELECT 1 FROM jobs WHERE owner = ? AND state IN ('queued', 'running', 'paused') AND (clip_id = ?
        OR instr(settings, ?) > 0
        OR EXISTS (SELECT 1 FROM json_each(settings, '$.controls') WHERE json_extract(value, '$.clip') = ?))`;
      return database.get(sql, owner, clipId, `"sha256":"${clipId}`, clipId) !== undefined;
    }),
    unfinished: inOneStep(() => {
      const sql = "SELECT * FROM jobs WHERE state IN ('queued', 'running', 'paused') ORDER BY number";
      return database.all(sql).map(asItIs);
    }),
    countByState: inOneStep(() => {
      const rows = database.all('SELECT state, count(*) AS jobs FROM jobs GROUP BY state');
      const counts = new Map(rows.map((row) => [row['state'], Number(row['jobs'])]));
      return Object.fromEntries(jobStates.map((state) => [state, counts.get(state) ?? 0])) as Record<JobState, number>;
    }),
    lastReport: inOneStep((model: string | null) => {
      const sql = "SELECT report FROM jobs WHERE state = 'done' AND model IS ? ORDER BY number DESC LIMIT 1";
      const row = database.get(sql, model);
      return row === undefined ? null : (parsed(row, 'report') as EditReport | null);
    }),
    states: inOneStep(() => {
      const rows = database.all('SELECT job_id, state FROM jobs');
      return new Map(rows.map((row) => [text(row, 'job_id'), text(row, 'state') as JobState]));
    }),
    subscribe(listener) {
      const own = (event: JobEvent): void => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}

/** In the order of the columns: state, progress, report, result, error, starts and the deaths. */
function columnsOf(job: Job): SqlValue[] {
  const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
  return [
    ...[job.state, json(job.progress), json(job.report), json(job.result), json(job.error)],
    ...[job.starts, job.engineDeaths, job.serverDeaths],
  ];
}

function toRow(row: Row, queuePosition: number | null): JobRow {
  return {
    jobId: text(row, 'job_id'),
    owner: text(row, 'owner'),
    createdAt: text(row, 'created_at'),
    request: {
      key: text(row, 'key'),
      clipId: text(row, 'clip_id'),
      settings: fromEarlierSettings(JSON.parse(text(row, 'settings'))) as EditSettings,
      model: row['model'] === null ? null : text(row, 'model'),
      device: text(row, 'device') as DeviceChoice,
      priority: Number(row['priority']),
    },
    job: {
      state: text(row, 'state') as JobState,
      progress: parsed(row, 'progress') as Job['progress'],
      report: parsed(row, 'report') as Job['report'],
      result: parsed(row, 'result') as Job['result'],
      error: errorOf(row),
      starts: Number(row['starts']),
      engineDeaths: Number(row['engine_deaths']),
      serverDeaths: Number(row['server_deaths']),
    },
    queuePosition,
  };
}

/** Older versions stored the field `retryable` with an error; it follows from the code and is removed. */
function errorOf(row: Row): WireError | null {
  const error = parsed(row, 'error') as WireError | null;
  if (error === null) return null;
  const { code, message, hint } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

function text(row: Row, column: string): string {
  return String(row[column]);
}

function parsed(row: Row, column: string): unknown {
  const value = row[column];
  return typeof value === 'string' ? JSON.parse(value) : null;
}
