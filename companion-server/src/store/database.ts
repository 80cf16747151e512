// The server's memory across restarts: one SQLite file in its data folder. The modules that keep something bring their own
// tables as migrations and know SQL, but not how the file is opened.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { EditError } from '../errors.ts';
import { isFullDisk } from '../files/disk-error.ts';
import { noReserve, type Reserve } from './disk-reserve.ts';
import { openSqlite } from './open-sqlite.ts';
import type { Row, SqliteConnection, SqliteStatement, SqlValue } from './sqlite-connection.ts';

export type { Row, SqlValue } from './sqlite-connection.ts';

/** One module's tables: its n-th entry brings the tables from version n to n + 1. Entries are never changed, only added. */
export interface Migrations {
  readonly module: string;
  readonly steps: readonly string[];
}

export interface Database {
  /** Every row of a query. Parameters fill the question marks. */
  all(sql: string, ...parameters: SqlValue[]): Row[];
  /** The first row of a query, or undefined. */
  get(sql: string, ...parameters: SqlValue[]): Row | undefined;
  /** Runs a statement, which is on the disk when this returns: a transaction of its own, unless one is open. Returns how many rows it changed. */
  run(sql: string, ...parameters: SqlValue[]): number;
  /** Runs `work` as one change: all of it, or, when it throws, nothing. Not nested. */
  transaction<T>(work: () => T): T;
  /** The same for what frees space or ends work: on a full disk the reserve is given up for it, piece by piece. */
  urgently<T>(work: () => T): T;
  close(): void;
}

/** How long an opening waits for another program that holds the file. */
const openTimeoutMs = 5_000;
/** The same for a change, which the whole server waits for. */
const busyTimeoutMs = 250;

/**
 * Opens the file at `path` and brings its tables up to date; ':memory:' keeps nothing. Write-ahead log with a sync at
 * every commit, so that what was acknowledged survives a loss of power (https://www.sqlite.org/pragma.html#pragma_synchronous).
 * While another program holds the file for longer than a moment, changes throw an error with the code SQLITE_BUSY; they
 * can be tried again. Throws EditError 'output-unwritable' when the file cannot be used, or was made by a newer version of
 * the program. `reserve` is given up for the opening too.
 */
export function openDatabase(path: string, modules: readonly Migrations[], reserve: Reserve = noReserve): Database {
  return withReserve(reserve, () => openOnce(path, modules, reserve));
}

/** Tries again as long as the disk is full and there is something to give up. */
function withReserve<T>(reserve: Reserve, work: () => T): T {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isForWantOfSpace(error) || !reserve.giveUp()) throw error;
    }
  }
}

/** A disk that cannot take the file beside the database that its readers share says so by another code. */
function isForWantOfSpace(error: unknown): boolean {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  const isShared = typeof code === 'string' && code.startsWith('SQLITE_IOERR');
  return isFullDisk(error) || isShared || (cause instanceof Error && isForWantOfSpace(cause));
}

function openOnce(path: string, modules: readonly Migrations[], reserve: Reserve): Database {
  let connection: SqliteConnection | undefined;
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    connection = openSqlite(path, openTimeoutMs);
    const database = wrap(connection, reserve);
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    for (const module of modules) migrate(database, connection, module);
    database.all(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    return database;
  } catch (error) {
    connection?.close();
    throw error instanceof EditError ? error : unusable(path, error);
  }
}

function unusable(path: string, error: unknown): EditError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EditError('output-unwritable', `The database ${path} cannot be used: ${reason}.`, {
    hint: 'Set TOKENFLOW_DATA to a folder that can be written. A damaged file can be moved away: the server then begins without jobs, clips and pairings, and moves their files to the folder set-aside.',
    cause: error,
  });
}

/**
 * Takes the file `path`, made when missing, for this process alone, until the returned function is called or the process
 * ends, however it ends: the lock is the system's. Throws EditError 'invalid-request' with `taken` as its message when
 * another process has it, 'output-unwritable' when it cannot be made. On a full disk `reserve` is given up for it.
 */
export function lockFile(path: string, taken: string, hint: string, reserve: Reserve = noReserve): () => void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const held = withReserve(reserve, () => lock(path));
    return () => held.close();
  } catch (error) {
    const isTaken = (error as { readonly code?: unknown }).code === 'SQLITE_BUSY';
    if (!isTaken) throw unusable(path, error);
    throw new EditError('invalid-request', taken, { hint, cause: error });
  }
}

function lock(path: string): SqliteConnection {
  const connection = openSqlite(path);
  try {
    connection.exec('BEGIN EXCLUSIVE');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function wrap(connection: SqliteConnection, reserve: Reserve): Database {
  const statements = new Map<string, SqliteStatement>();
  const prepared = (sql: string): SqliteStatement => {
    const known = statements.get(sql) ?? connection.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  /** A statement that has failed may be in the middle of its work still: it is not used again. */
  function execute<T>(sql: string, use: (statement: SqliteStatement) => T): T {
    try {
      return use(prepared(sql));
    } catch (error) {
      statements.delete(sql);
      throw error;
    }
  }
  const all = (sql: string, parameters: SqlValue[]): Row[] => execute(sql, (statement) => statement.all(parameters));

  /**
   * The lock is taken by `exec`, which gives its statement up when it does not get it. A prepared one that waits for the
   * lock stays begun when it fails (libsql resets it at its next use), and no commit succeeds until then.
   */
  function transaction<T>(work: () => T): T {
    connection.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      connection.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk has rolled it back already.
      if (connection.inTransaction) connection.exec('ROLLBACK');
      throw error;
    }
  }

  return {
    transaction,
    urgently: (work) => withReserve(reserve, () => transaction(work)),
    all: (sql, ...parameters) => all(sql, parameters),
    get: (sql, ...parameters) => all(sql, parameters)[0],
    run(sql, ...parameters) {
      const run = (): number => execute(sql, (statement) => statement.run(parameters));
      return connection.inTransaction ? run() : transaction(run);
    },
    close: () => connection.close(),
  };
}

function migrate(database: Database, connection: SqliteConnection, { module, steps }: Migrations): void {
  connection.exec('CREATE TABLE IF NOT EXISTS migrations (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT');
  const row = database.get('SELECT version FROM migrations WHERE room = ?', module);
  const version = Number(row?.['version'] ?? 0);
  if (version > steps.length) {
    throw new EditError(
      'output-unwritable',
      `The database holds version ${version} of ${module}, this program knows ${steps.length}.`,
      { hint: 'Start the newest version of the companion server that is installed.' },
    );
  }
  // A database that is up to date is opened on a full disk as well.
  if (row !== undefined && version === steps.length) return;
  database.transaction(() => {
    for (const step of steps.slice(version)) connection.exec(step);
    database.run('INSERT OR REPLACE INTO migrations VALUES (?, ?)', module, steps.length);
  });
}
