// Which program of SQLite is used: Node's own from Node 22.16 on, which is what a release has, and the package libsql on older
// ones. Both write the same files.

import { openWithLibsql } from './libsql.ts';
import { openWithNode } from './node-sqlite.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Opens, and makes when it is missing, the file at `path`. `timeoutMs`: how long it waits for another program that holds it. */
export function openSqlite(path: string, timeoutMs = 0): SqliteConnection {
  return (openWithNode ?? openWithLibsql)(path, timeoutMs);
}
