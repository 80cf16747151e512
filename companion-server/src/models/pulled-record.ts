// pulled.json in a downloaded checkpoint: what was fetched from where, so that it can be checked later.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FieldError, readFields } from '../../../protocol/fields.ts';
import { EditError } from '../errors.ts';
import { isMissing } from '../files/disk-error.ts';
import { writeWhole } from '../files/write-whole.ts';
import { complainAboutFilePath } from './file-names.ts';

export const pulledRecordName = 'pulled.json';
const maxFiles = 1_000;

export interface PulledFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Of what arrived. */
  readonly sha256: string;
  /** The hub's own name of the content; null where it gave none. */
  readonly etag: string | null;
}

export interface PulledRecord {
  readonly id: string;
  readonly endpoint: string;
  readonly repository: string;
  readonly revision: string;
  /** The licence that was accepted. */
  readonly licence: string;
  /** ISO 8601. */
  readonly pulledAt: string;
  readonly files: readonly PulledFile[];
}

export async function writePulledRecord(dir: string, record: PulledRecord): Promise<void> {
  await writeWhole(join(dir, pulledRecordName), `${JSON.stringify(record, null, 2)}\n`);
}

/** The record in a checkpoint's folder; undefined when there is none. Throws EditError 'model-damaged'. */
export async function readPulledRecord(dir: string): Promise<PulledRecord | undefined> {
  const path = join(dir, pulledRecordName);
  try {
    return parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (!(error instanceof FieldError || error instanceof SyntaxError)) throw error;
    throw new EditError('model-damaged', `${path}: ${error.message}`, {
      hint: 'Remove the model and pull it again.',
      cause: error,
    });
  }
}

function parse(value: unknown): PulledRecord {
  const keys = ['id', 'endpoint', 'repository', 'revision', 'licence', 'pulledAt', 'files'];
  const record = readFields(value, 'record', keys);
  const text = (key: string): string => record.text(key, { max: 500 });
  const files = record.objects('files', maxFiles, ['path', 'sizeBytes', 'sha256', 'etag']);
  return {
    id: text('id'),
    endpoint: text('endpoint'),
    repository: text('repository'),
    revision: text('revision'),
    licence: text('licence'),
    pulledAt: text('pulledAt'),
    files: files.map((file) => {
      const path = file.text('path', { max: 500 });
      const complaint = complainAboutFilePath(path);
      if (complaint !== undefined) throw new FieldError(`${file.path}.path`, `${complaint}.`);
      return {
        path,
        sizeBytes: file.integer('sizeBytes', 0, Number.MAX_SAFE_INTEGER),
        sha256: file.hex('sha256', 64),
        etag: file.nullable('etag', () => file.text('etag', { max: 300 })),
      };
    }),
  };
}
