// SQLite by the package libsql, where Node has none. It is loaded at its first use, so that a release does without it.

import { createRequire } from 'node:module';
import type SQLite from 'libsql';
import type { Row, SqliteConnection, SqlValue } from './sqlite-connection.ts';

export function openWithLibsql(path: string, timeoutMs: number): SqliteConnection {
  const load = createRequire(import.meta.url);
  const Connection = load('libsql') as typeof SQLite;
  const connection = new Connection(path, { timeout: timeoutMs });
  return {
    get inTransaction() {
      return connection.inTransaction;
    },
    exec: (sql) => void connection.exec(sql),
    prepare(sql) {
      const statement = connection.prepare(sql);
      // Parameters go as one array: a blob or null that goes alone is taken for named parameters, which ends the process.
      return {
        all: (parameters) => statement.all([...parameters]).map(toRow),
        run: (parameters) => (statement.run([...parameters]) as { changes: number }).changes,
      };
    },
    close: () => void connection.close(),
  };
}

/** The package gives blobs as ArrayBuffer. */
function toRow(row: unknown): Row {
  const columns = Object.entries(row as Readonly<Record<string, SqlValue | ArrayBuffer>>);
  return Object.fromEntries(
    columns.map(([name, value]) => [name, value instanceof ArrayBuffer ? new Uint8Array(value) : value]),
  );
}
