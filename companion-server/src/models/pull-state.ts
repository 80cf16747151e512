// The state of a download that is not finished. It is stored beside the files, so that the next run continues where this
// one stopped.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FieldError, count, flag, list, nullable, object, parse, text, type Infer } from '../../../protocol/fields.ts';
import { isMissing } from '../files/disk-error.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { Repository } from './hub/hub-address.ts';
import type { RemoteFile } from './hub/remote-file.ts';

const fileName = 'pulling.json';
const maxFiles = 1_000;

const nullableText = nullable(text({ max: 300 }));
const stagedFile = object({
  path: text({ max: 500 }),
  sizeBytes: count,
  sha256: nullableText,
  etag: nullableText,
  validator: nullableText,
  /** Whole, checked, on the disk and under its own name. */
  isDone: flag,
});
export type StagedFile = RemoteFile & Infer<typeof stagedFile>;

const keptState = object({
  endpoint: text({ max: 500 }),
  repository: text({ max: 500 }),
  revision: text({ max: 500 }),
  files: list(stagedFile, maxFiles),
});

export interface PullState extends Repository {
  /** Where the files come from; a download does not continue parts from another hub. */
  readonly endpoint: string;
  /** By path. A file that was not begun is missing. */
  readonly files: ReadonlyMap<string, StagedFile>;
}

/** The state in the folder; undefined when there is none, or none that can be used. */
export async function readPullState(dir: string): Promise<PullState | undefined> {
  try {
    const { files, ...state } = parse(keptState, JSON.parse(await readFile(join(dir, fileName), 'utf8')), 'state');
    return { ...state, files: new Map(files.map((file) => [file.path, file])) };
  } catch (error) {
    // Written as a whole, so only another program can have made it unreadable: the download starts again.
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
