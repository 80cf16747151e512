// The rows about clips. Their bytes are in files beside the database.

import type { Migrations } from '../store/database.ts';

/** Times are milliseconds of the clock. `media` is JSON of MediaFacts, `record` what clip-records.ts is given. */
export const clipTables: Migrations = {
  module: 'clips',
  steps: [
    `CREATE TABLE clips (
       clip_id TEXT PRIMARY KEY,
       sha256 TEXT NOT NULL UNIQUE,
       size_bytes INTEGER NOT NULL,
       file_name TEXT NOT NULL,
       media TEXT NOT NULL
     ) STRICT;
     CREATE TABLE clip_owners (
       owner TEXT NOT NULL,
       clip_id TEXT NOT NULL REFERENCES clips ON DELETE CASCADE,
       used_at INTEGER NOT NULL,
       PRIMARY KEY (owner, clip_id)
     ) STRICT;
     CREATE TABLE uploads (
       upload_id TEXT PRIMARY KEY,
       owner TEXT NOT NULL,
       size_bytes INTEGER NOT NULL,
       extension TEXT,
       touched_at INTEGER NOT NULL
     ) STRICT`,
    `CREATE TABLE clip_records (
       clip_id TEXT PRIMARY KEY REFERENCES clips ON DELETE CASCADE,
       record TEXT NOT NULL
     ) STRICT`,
  ],
};
