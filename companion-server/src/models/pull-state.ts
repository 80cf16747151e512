// What is known of a download that is not finished: it lies beside the files, so that the next run goes on where
// this one stopped.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FieldError, readFields, type FieldReader } from '../../../protocol/fields.ts';
import { isMissing } from '../files/disk-error.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { Repository } from './hub-address.ts';
import type { RemoteFile } from './remote-file.ts';

const fileName = 'pulling.json';
const maxFiles = 1_000;

export interface StagedFile extends RemoteFile {
  /** Whole, checked, on the disk and under its own name. */
  readonly isDone: boolean;
}

export interface PullState extends Repository {
  /** Where the files come from; another hub's parts are not gone on with. */
  readonly endpoint: string;
  /** By path. A file that was not begun is missing. */
  readonly files: ReadonlyMap<string, StagedFile>;
}

/** The state in the folder; undefined when there is none, or none that can be used. */
export async function readPullState(dir: string): Promise<PullState | undefined> {
  try {
    return parse(JSON.parse(await readFile(join(dir, fileName), 'utf8')));
  } catch (error) {
    // Written whole, so that only a strange hand makes it unreadable: the download begins anew.
    if (error instanceof FieldError || error instanceof SyntaxError) return undefined;
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function writePullState(dir: string, state: PullState): Promise<void> {
  const text = JSON.stringify({ ...state, files: [...state.files.values()] }, null, 2);
  await writeWhole(join(dir, fileName), `${text}\n`);
}

/** Name of the state's file, which does not belong to the checkpoint. */
export const pullStateName = fileName;

function parse(value: unknown): PullState {
  const state = readFields(value, 'state', ['endpoint', 'repository', 'revision', 'files']);
  const keys = ['path', 'sizeBytes', 'sha256', 'etag', 'validator', 'isDone'];
  const files = state.objects('files', maxFiles, keys).map(parseFile);
  return {
    endpoint: state.text('endpoint', { max: 500 }),
    repository: state.text('repository', { max: 500 }),
    revision: state.text('revision', { max: 500 }),
    files: new Map(files.map((file) => [file.path, file])),
  };
}

function parseFile(file: FieldReader): StagedFile {
  const nullableText = (key: string) => file.nullable(key, () => file.text(key, { max: 300 }));
  return {
    path: file.text('path', { max: 500 }),
    sizeBytes: file.integer('sizeBytes', 0, Number.MAX_SAFE_INTEGER),
    sha256: nullableText('sha256'),
    etag: nullableText('etag'),
    validator: nullableText('validator'),
    isDone: file.flag('isDone'),
  };
}
