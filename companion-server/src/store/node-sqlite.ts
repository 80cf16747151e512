// SQLite by Node itself (https://nodejs.org/docs/latest-v22.x/api/sqlite.html), which needs no binary for each system.

import type { Row, SqliteConnection, SqlValue } from './sqlite-connection.ts';

/** What is used of the module; the types of the oldest Node that the program runs on do not have it. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options: { readonly timeout: number }) => NodeDatabase;
}
interface NodeDatabase {
  /** Since Node 22.16. */
  readonly isTransaction: boolean;
  readonly isOpen: boolean;
  exec(sql: string): void;
  prepare(sql: string): {
    all(...parameters: SqlValue[]): Row[];
    run(...parameters: SqlValue[]): { readonly changes: number | bigint };
  };
  close(): void;
}

/** Result codes that callers know by name (https://www.sqlite.org/rescode.html), without what the higher bits add to them. */
const primaryNames: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  19: 'SQLITE_CONSTRAINT',
  26: 'SQLITE_NOTADB',
};

/** Null where Node has no SQLite, or one that does not say whether a transaction is open. */
export const openWithNode = createOpener(loadQuietly());

function createOpener(sqlite: NodeSqlite | null): ((path: string, timeoutMs: number) => SqliteConnection) | null {
  if (sqlite === null) return null;
  return (path, timeoutMs) => {
    const database = named(() => new sqlite.DatabaseSync(path, { timeout: timeoutMs }));
    return {
      get inTransaction() {
        return database.isTransaction;
      },
      exec: (sql) => named(() => database.exec(sql)),
      prepare(sql) {
        const statement = named(() => database.prepare(sql));
        return {
          all: (parameters) => named(() => statement.all(...parameters)).map((row) => ({ ...row })),
          run: (parameters) => Number(named(() => statement.run(...parameters)).changes),
        };
      },
      close() {
        if (database.isOpen) database.close();
      },
    };
  };
}

/** Node 22 calls it experimental, on standard error, whenever a program loads it: nothing that a user could act on. */
function loadQuietly(): NodeSqlite | null {
  const warner: { emitWarning: unknown } = process;
  const { emitWarning } = warner;
  warner.emitWarning = () => undefined;
  try {
    const sqlite = process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined;
    return sqlite !== undefined && knowsTransactions(sqlite) ? sqlite : null;
  } finally {
    warner.emitWarning = emitWarning;
  }
}

function knowsTransactions({ DatabaseSync }: NodeSqlite): boolean {
  const database = new DatabaseSync(':memory:', { timeout: 0 });
  const isKnown = typeof database.isTransaction === 'boolean';
  database.close();
  return isKnown;
}

/** Gives an error of SQLite the name of its result code as its code, in place of Node's one code for all of them. */
function named<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { errcode } = error as { readonly errcode?: unknown };
    if (error instanceof Error && typeof errcode === 'number') {
      Object.assign(error, { code: primaryNames[errcode & 0xff] ?? 'SQLITE_ERROR' });
    }
    throw error;
  }
}
