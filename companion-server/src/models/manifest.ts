// pulled.json in a downloaded checkpoint: what was fetched from where, so that it can be checked later.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FieldError,
  count,
  hex,
  list,
  nullable,
  object,
  parse,
  text,
  where,
  type Infer,
} from '../../../protocol/fields.ts';
import { EditError } from '../errors.ts';
import { isMissing } from '../files/disk-error.ts';
import { writeWhole } from '../files/write-whole.ts';
import { complainAboutFilePath } from './file-names.ts';

export const pulledRecordName = 'pulled.json';
const maxFiles = 1_000;

const pulledFile = object({
  path: where(text({ max: 500 }), (path) => {
    const complaint = complainAboutFilePath(path);
    return complaint === undefined ? undefined : `${complaint}.`;
  }),
  sizeBytes: count,
  /** Of what arrived. */
  sha256: hex(64),
  /** The hub's own name of the content; null where it gave none. */
  etag: nullable(text({ max: 300 })),
});
export type PulledFile = Infer<typeof pulledFile>;

const name = text({ max: 500 });
const pulledRecord = object({
  id: name,
  endpoint: name,
  repository: name,
  revision: name,
  /** The licence that was accepted. */
  licence: name,
  /** ISO 8601. */
  pulledAt: name,
  files: list(pulledFile, maxFiles),
});
export type Manifest = Infer<typeof pulledRecord>;

export async function writeManifest(dir: string, record: Manifest): Promise<void> {
  await writeWhole(join(dir, pulledRecordName), `${JSON.stringify(record, null, 2)}\n`);
}

/** The record in a checkpoint's folder; undefined when there is none. Throws EditError 'model-damaged'. */
export async function readManifest(dir: string): Promise<Manifest | undefined> {
  const path = join(dir, pulledRecordName);
  try {
    return parse(pulledRecord, JSON.parse(await readFile(path, 'utf8')), 'record');
  } catch (error) {
    // A checkpoint in one file is no folder.
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    if (!(error instanceof FieldError || error instanceof SyntaxError)) throw error;
    throw new EditError('model-damaged', `${path}: ${error.message}`, {
      hint: 'Remove the model and pull it again.',
      cause: error,
    });
  }
}
