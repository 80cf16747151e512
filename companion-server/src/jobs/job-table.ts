// The jobs in the database: a row each, written at every change of state. The queue's order is the order of ranks,
// which are whole numbers with gaps.

import type { DeviceChoice } from '../../../protocol/devices.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import { fromEarlierSettings } from '../../../protocol/earlier-settings.ts';
import type { EditSettings } from '../../../protocol/edit-settings.ts';
import { jobStates, type JobState } from '../../../protocol/job.ts';
import type { WireError } from '../../../protocol/wire-error.ts';
import type { Database, Migrations, Row, SqlValue } from '../store/database.ts';
import type { Job } from './job.ts';

/** What the client asked for. */
export interface JobRequest {
  /** Chosen by the client: a second request with the same key is the same job. */
  readonly key: string;
  readonly clipId: string;
  readonly settings: EditSettings;
  /** Id of the model; null for the server's first. */
  readonly model: string | null;
  readonly device: DeviceChoice;
  /** Higher runs earlier. */
  readonly priority: number;
}

export interface JobRecord {
  readonly jobId: string;
  readonly owner: string;
  /** UTC, ISO 8601. */
  readonly createdAt: string;
  readonly request: JobRequest;
  readonly job: Job;
}

/** A queued job's place. */
export interface Waiting {
  readonly jobId: string;
  readonly owner: string;
  readonly priority: number;
  readonly rank: number;
}

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
    // In the order of their making, which the clock does not tell: it may be set back.
    `ALTER TABLE jobs ADD COLUMN number INTEGER;
     UPDATE jobs SET number = numbered.number FROM
       (SELECT job_id, row_number() OVER (ORDER BY created_at, job_id) AS number FROM jobs) AS numbered
       WHERE numbered.job_id = jobs.job_id;
     DROP INDEX jobs_by_age;
     CREATE INDEX jobs_by_number ON jobs (owner, number)`,
  ],
};

export interface JobTable {
  /** Adds a queued job behind all others. */
  insert(record: JobRecord): void;
  get(jobId: string): JobRecord | undefined;
  byKey(owner: string, key: string): JobRecord | undefined;
  /** In the order of their making: at most `most` of those that were made after `after`, or after none for null. */
  ofOwner(owner: string, after: JobRecord | null, most: number): JobRecord[];
  /** Whether a job of the owner that is not over edits the clip. */
  needsClip(owner: string, clipId: string): boolean;
  countOf(owner: string): { readonly all: number; readonly unfinished: number };
  /** Of all owners' jobs. */
  countByState(): Record<JobState, number>;
  inState(state: JobState): JobRecord[];
  /** Of the last job by this model that is done; null when there is none. */
  lastReport(model: string | null): EditReport | null;
  states(): ReadonlyMap<string, JobState>;
  update(jobId: string, job: Job): void;
  /** The queued jobs in their order. */
  waiting(): Waiting[];
  /** The first of them. */
  nextWaiting(): string | undefined;
  /** How many are before a queued job. */
  placeOf(jobId: string): number;
  /** The same, but for one. */
  waitingBeside(jobId: string): Waiting[];
  /** Puts a queued job at a place among the other queued ones: 0 is the front. */
  place(jobId: string, index: number, priority: number): void;
  delete(jobId: string): void;
  transaction<T>(work: () => T): T;
  /** A transaction that a full disk does not refuse as long as the reserve lasts. */
  urgently<T>(work: () => T): T;
}

export function createJobTable(database: Database): JobTable {
  const records = (where: string, ...parameters: SqlValue[]): JobRecord[] =>
    database.all(`SELECT * FROM jobs WHERE ${where}`, ...parameters).map(toRecord);

  function waiting(): Waiting[] {
    const sql = "SELECT job_id, owner, priority, rank FROM jobs WHERE state = 'queued' ORDER BY rank, job_id";
    return database.all(sql).map((row) => ({
      jobId: text(row, 'job_id'),
      owner: text(row, 'owner'),
      priority: Number(row['priority']),
      rank: Number(row['rank']),
    }));
  }

  const waitingBeside = (jobId: string): Waiting[] => waiting().filter((other) => other.jobId !== jobId);

  return {
    waiting,
    nextWaiting() {
      const sql = "SELECT job_id FROM jobs WHERE state = 'queued' ORDER BY rank, job_id LIMIT 1";
      const row = database.get(sql);
      return row === undefined ? undefined : text(row, 'job_id');
    },
    placeOf(jobId) {
      const sql = `SELECT count(*) AS before FROM jobs AS other, jobs AS own
        WHERE own.job_id = ? AND other.state = 'queued'
        AND (other.rank, other.job_id) < (own.rank, own.job_id)`;
      return Number(database.get(sql, jobId)?.['before']);
    },
    waitingBeside,
    insert({ jobId, owner, createdAt, request, job }) {
      database.run(
        `INSERT INTO jobs (job_id, owner, created_at, key, clip_id, settings, model, device, priority, rank,
          number, state, progress, report, result, error, starts, engine_deaths, server_deaths)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(rank), 0) + 1 FROM jobs),
          (SELECT coalesce(max(number), 0) + 1 FROM jobs),
          ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[jobId, owner, createdAt, request.key, request.clipId, JSON.stringify(request.settings)],
        ...[request.model, request.device, request.priority, ...columnsOf(job)],
      );
    },
    get: (jobId) => records('job_id = ?', jobId)[0],
    byKey: (owner, key) => records('owner = ? AND key = ?', owner, key)[0],
    ofOwner: (owner, after, most) =>
      records(
        `owner = ? AND number > coalesce((SELECT number FROM jobs WHERE job_id = ?), 0)
          ORDER BY number LIMIT ?`,
        ...[owner, after?.jobId ?? '', most],
      ),
    needsClip(owner, clipId) {
      const sql = `SELECT 1 FROM jobs WHERE owner = ? AND clip_id = ?
        AND state IN ('queued', 'running', 'paused')`;
      return database.get(sql, owner, clipId) !== undefined;
    },
    countOf(owner) {
      const sql = `SELECT count(*) AS all_jobs,
        count(*) FILTER (WHERE state IN ('queued', 'running', 'paused')) AS unfinished
        FROM jobs WHERE owner = ?`;
      const row = database.get(sql, owner);
      return { all: Number(row?.['all_jobs']), unfinished: Number(row?.['unfinished']) };
    },
    countByState() {
      const rows = database.all('SELECT state, count(*) AS jobs FROM jobs GROUP BY state');
      const counts = new Map(rows.map((row) => [row['state'], Number(row['jobs'])]));
      return Object.fromEntries(jobStates.map((state) => [state, counts.get(state) ?? 0])) as Record<JobState, number>;
    },
    inState: (state) => records('state = ? ORDER BY rank', state),
    lastReport(model) {
      const sql = "SELECT report FROM jobs WHERE state = 'done' AND model IS ? ORDER BY number DESC LIMIT 1";
      const row = database.get(sql, model);
      return row === undefined ? null : (parsed(row, 'report') as EditReport | null);
    },
    states: () =>
      new Map(
        database
          .all('SELECT job_id, state FROM jobs')
          .map((row) => [text(row, 'job_id'), text(row, 'state') as JobState]),
      ),
    update(jobId, job) {
      database.run(
        `UPDATE jobs SET state = ?, progress = ?, report = ?, result = ?, error = ?, starts = ?,
          engine_deaths = ?, server_deaths = ? WHERE job_id = ?`,
        ...columnsOf(job),
        jobId,
      );
    },
    place(jobId, index, priority) {
      const others = waitingBeside(jobId);
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
    },
    delete: (jobId) => void database.urgently(() => database.run('DELETE FROM jobs WHERE job_id = ?', jobId)),
    transaction: (work) => database.transaction(work),
    urgently: (work) => database.urgently(work),
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

function toRecord(row: Row): JobRecord {
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
  };
}

/** Older versions kept with an error what its code says already: the field `retryable`, which is no part of it. */
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
