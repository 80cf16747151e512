// A connection to an SQLite file, whichever program of SQLite is behind it.

export type SqlValue = string | number | bigint | Uint8Array | null;
export type Row = Readonly<Record<string, SqlValue>>;

export interface SqliteStatement {
  /** Every row. Parameters fill the question marks. */
  all(parameters: readonly SqlValue[]): Row[];
  /** How many rows it changed. */
  run(parameters: readonly SqlValue[]): number;
}

/** What fails throws an Error whose `code` is the name of SQLite's result code, for example SQLITE_BUSY or SQLITE_IOERR_SHMSIZE. */
export interface SqliteConnection {
  readonly inTransaction: boolean;
  /** Statements without parameters. */
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  /** Does nothing when it is closed already. */
  close(): void;
}
