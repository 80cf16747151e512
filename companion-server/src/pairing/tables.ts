// What the pairing module keeps in the database: who is paired, and the secret that result links are signed with.

import { randomBytes } from 'node:crypto';
import type { Database, Migrations, Row } from '../store/database.ts';

export const pairingTables: Migrations = {
  module: 'pairing',
  steps: [
    `CREATE TABLE pairings (
       client_id TEXT PRIMARY KEY,
       name TEXT NOT NULL,
       token_hash BLOB NOT NULL UNIQUE,
       created_at TEXT NOT NULL,
       seen_at TEXT,
       version TEXT
     ) STRICT;
     CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT`,
    // A pairing that has ended stays as the owner of its jobs.
    'ALTER TABLE pairings ADD COLUMN ended_at TEXT',
  ],
};

/** A client that has exchanged a code. Times are ISO 8601. */
export interface Pairing {
  readonly clientId: string;
  readonly name: string;
  readonly createdAt: string;
  /** When it last said hello, and as which version of its program; null before. */
  readonly seenAt: string | null;
  readonly version: string | null;
}

export function toPairing(row: Row): Pairing {
  const text = (key: string): string | null => {
    const value = row[key];
    return typeof value === 'string' ? value : null;
  };
  return {
    clientId: text('client_id') ?? '',
    name: text('name') ?? '',
    createdAt: text('created_at') ?? '',
    seenAt: text('seen_at'),
    version: text('version'),
  };
}

/** 256 random bits that belong to this data folder: made at the first use, the same ever after. */
export function readSecret(database: Database, name: string): Buffer {
  const read = (): unknown => database.get('SELECT value FROM secrets WHERE name = ?', name)?.['value'];
  // Read first: on a full disk a write would fail.
  if (read() === undefined) {
    database.run('INSERT OR IGNORE INTO secrets VALUES (?, ?)', name, randomBytes(32));
  }
  const value = read();
  if (!(value instanceof Uint8Array)) throw new TypeError(`The secret ${name} is no blob.`);
  return Buffer.from(value);
}

/** Replaces the secret, if there is one that others may have read: everything that was signed with it becomes invalid. */
export function renewSecret(database: Database, name: string): void {
  database.urgently(() => database.run('UPDATE secrets SET value = ? WHERE name = ?', randomBytes(32), name));
}
