// The rows of clips, of their owners, and of uploads that are not complete yet.

import type { UploadExtension } from '../../../protocol/messages/clip-messages.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { Database, Row } from '../store/database.ts';

export interface ClipRow {
  readonly clipId: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly fileName: string;
  readonly media: MediaFacts;
}

export interface UploadRow {
  readonly uploadId: string;
  readonly owner: string;
  readonly sizeBytes: number;
  readonly extension: UploadExtension | null;
}

export interface ClipTable {
  /** A clip that `owner` has sent. */
  ofOwner(owner: string, clipId: string): ClipRow | undefined;
  ofOwnerByHash(owner: string, sha256: string): ClipRow | undefined;
  byHash(sha256: string): ClipRow | undefined;
  /** Clips of the owner, those on their way included. */
  countOf(owner: string): number;
  all(): readonly ClipRow[];
  /** Adds the clip if it is new, and `owner` to its owners. */
  add(owner: string, clip: ClipRow, now: number): void;
  /** Remembers to the hour when `owner` used the clip: a write for each of its frames would wait for the disk. */
  touch(owner: string, clipId: string, now: number): void;
  /** Whether only `owner` may use the clip. */
  isOnlyOwner(owner: string, clipId: string): boolean;
  /** Removes the clip from `owner`; the row is deleted with its last owner. */
  release(owner: string, clipId: string): void;
  delete(clipId: string): void;
  /** Owners and their clips that they have not used since then. */
  unusedSince(time: number): readonly { readonly owner: string; readonly clipId: string }[];
  uploadOf(owner: string, uploadId: string): UploadRow | undefined;
  uploads(): readonly UploadRow[];
  uploadsUntouchedSince(time: number): readonly UploadRow[];
  putUpload(upload: UploadRow, now: number): void;
  deleteUpload(uploadId: string): void;
}

const touchMs = 60 * 60 * 1_000;

/** `database` has the tables of tables.ts. */
export function createClipTable(database: Database): ClipTable {
  const owned = `SELECT clips.* FROM clips JOIN clip_owners USING (clip_id) WHERE owner = ?`;
  return {
    ofOwner: (owner, clipId) => toClip(database.get(`${owned} AND clip_id = ?`, owner, clipId)),
    ofOwnerByHash: (owner, sha256) => toClip(database.get(`${owned} AND sha256 = ?`, owner, sha256)),
    byHash: (sha256) => toClip(database.get('SELECT * FROM clips WHERE sha256 = ?', sha256)),
    countOf(owner) {
      const sql = `SELECT (SELECT count(*) FROM clip_owners WHERE owner = ?)
        + (SELECT count(*) FROM uploads WHERE owner = ?) AS clips`;
      return Number(database.get(sql, owner, owner)?.['clips']);
    },
    all: () => database.all('SELECT * FROM clips').flatMap((row) => toClip(row) ?? []),
    add(owner, { clipId, sha256, sizeBytes, fileName, media }, now) {
      const insertClip = 'INSERT OR IGNORE INTO clips VALUES (?, ?, ?, ?, ?)';
      database.transaction(() => {
        database.run(insertClip, clipId, sha256, sizeBytes, fileName, JSON.stringify(media));
        database.run('INSERT OR REPLACE INTO clip_owners VALUES (?, ?, ?)', owner, clipId, now);
      });
    },
    touch(owner, clipId, now) {
      const sql = 'UPDATE clip_owners SET used_at = ? WHERE owner = ? AND clip_id = ? AND used_at < ?';
      database.run(sql, now, owner, clipId, now - touchMs);
    },
    isOnlyOwner(owner, clipId) {
      const others = 'SELECT 1 FROM clip_owners WHERE clip_id = ? AND owner <> ?';
      return database.get(others, clipId, owner) === undefined;
    },
    release: (owner, clipId) =>
      database.urgently(() => {
        database.run('DELETE FROM clip_owners WHERE owner = ? AND clip_id = ?', owner, clipId);
        const sql = `DELETE FROM clips WHERE clip_id = ?
          AND NOT EXISTS (SELECT 1 FROM clip_owners WHERE clip_owners.clip_id = clips.clip_id)`;
        database.run(sql, clipId);
      }),
    delete: (clipId) => void database.urgently(() => database.run('DELETE FROM clips WHERE clip_id = ?', clipId)),
    unusedSince: (time) =>
      database
        .all('SELECT owner, clip_id FROM clip_owners WHERE used_at < ?', time)
        .map((row) => ({ owner: String(row['owner']), clipId: String(row['clip_id']) })),
    uploadOf: (owner, uploadId) =>
      toUpload(database.get('SELECT * FROM uploads WHERE owner = ? AND upload_id = ?', owner, uploadId)),
    uploads: () => database.all('SELECT * FROM uploads').flatMap((row) => toUpload(row) ?? []),
    uploadsUntouchedSince: (time) =>
      database.all('SELECT * FROM uploads WHERE touched_at < ?', time).flatMap((row) => toUpload(row) ?? []),
    putUpload({ uploadId, owner, sizeBytes, extension }, now) {
      const sql = 'INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)';
      database.run(sql, uploadId, owner, sizeBytes, extension, now);
    },
    deleteUpload: (uploadId) =>
      void database.urgently(() => database.run('DELETE FROM uploads WHERE upload_id = ?', uploadId)),
  };
}

function toClip(row: Row | undefined): ClipRow | undefined {
  if (row === undefined) return undefined;
  return {
    clipId: String(row['clip_id']),
    sha256: String(row['sha256']),
    sizeBytes: Number(row['size_bytes']),
    fileName: String(row['file_name']),
    media: JSON.parse(String(row['media'])) as MediaFacts,
  };
}

function toUpload(row: Row | undefined): UploadRow | undefined {
  if (row === undefined) return undefined;
  return {
    uploadId: String(row['upload_id']),
    owner: String(row['owner']),
    sizeBytes: Number(row['size_bytes']),
    extension: row['extension'] as UploadExtension | null,
  };
}
