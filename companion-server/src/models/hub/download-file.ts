// One file from the hub to the disk: as many requests as it takes, no byte asked for twice, nothing believed that
// has not been checked.

import { EditError, throwIfCanceled } from '../../errors.ts';
import type { PartFile } from '../../files/part-file.ts';
import type { CatalogFile } from '../catalog-file.ts';
import { fileUrl, type Hub, type Repository } from './hub-address.ts';
import { refusalOf } from './hub-refusal.ts';
import { askHub, connectionTrouble, type HubAnswer } from './hub-request.ts';
import { withRetries, type Patience } from './hub-trouble.ts';
import { identify, readContentRange, type RemoteFile } from './remote-file.ts';

/** Times that a file may turn out to be another one, or wrong, before giving up. */
const maxRestarts = 2;

/** How often received bytes may be discarded because the storage cannot continue after them. */
const maxDiscards = 10;

export interface FileDownload extends Patience {
  readonly hub: Hub;
  readonly source: Repository;
  readonly file: CatalogFile;
  readonly part: PartFile;
  /** What `part` is the beginning of; null when nothing is known of it. */
  readonly begun: RemoteFile | null;
  /** Called before the first byte of a content is written. What it stores must last as long as the part. */
  readonly onBegin: (remote: RemoteFile) => Promise<void>;
  /** Called with the new size of the part. */
  readonly onSize: (sizeBytes: number) => void;
  readonly idleMs?: number | undefined;
}

/** What the part is the beginning of, from one request to the next. */
interface Progress {
  remote: RemoteFile | null;
  discards: number;
}

/**
 * Completes the part, checks it and brings it to the disk. Returns what it is.
 * Throws EditError: 'model-missing', 'model-gated', 'download-refused', 'connection-lost', 'transfer-damaged',
 * 'disk-full', 'output-unwritable'; CanceledError, after which the part is still valid.
 */
export async function downloadFile(options: FileDownload): Promise<RemoteFile & { readonly sha256: string }> {
  const { part, file } = options;
  const progress: Progress = { remote: options.begun, discards: 0 };
  for (let restarts = 0; restarts <= maxRestarts; restarts++) {
    const remote = await withRetries((worked) => fetchRest(options, progress, worked), options);
    const sha256 = part.digest();
    if (remote !== null && (remote.sha256 === null || remote.sha256 === sha256)) {
      await part.sync();
      return { ...remote, sha256 };
    }
    await part.clear();
    progress.remote = null;
  }
  throw new EditError(
    'transfer-damaged',
    `${file.path}: what the hub sent is not what it should be: its SHA-256 is wrong, or it changed again and again.`,
    { hint: 'Try again later, or without a proxy.' },
  );
}

/** Appends what is missing. Returns what the whole is, or null when the hub has another content now. */
async function fetchRest(options: FileDownload, progress: Progress, worked: () => void): Promise<RemoteFile | null> {
  const { part, file, onBegin, signal } = options;
  const begun = progress.remote;
  if (begun === null || !isContinuable(begun, part)) await discard(options, progress);
  else if (part.sizeBytes === begun.sizeBytes) return begun;

  const start = part.sizeBytes;
  const answer = await ask(options, start > 0 ? rangeHeaders(start, begun) : {});
  try {
    if (start > 0 && answer.status === 416) return null;
    if (answer.status !== 200 && answer.status !== 206) {
      throw refusalOf(answer, options.hub, options.source, file.path);
    }
    const remote = identify(answer, file);
    if (answer.status === 206) {
      if (!isTheRest(answer, start, remote, begun)) return null;
    } else {
      await discard(options, progress);
      await onBegin(remote);
      progress.remote = remote;
    }
    await appendBody(options, answer, remote, worked);
    return remote;
  } catch (error) {
    throwIfCanceled(signal);
    throw error;
  } finally {
    answer.body.destroy();
  }
}

/** Discards the part; the number of times is limited. */
async function discard(options: FileDownload, progress: Progress): Promise<void> {
  const { part } = options;
  if (part.sizeBytes > 0 && ++progress.discards > maxDiscards) throw cannotContinue(options);
  await part.clear();
}

/** Without an exact name of the content, only a hash of the whole can tell that two halves belong together. */
function isContinuable(begun: RemoteFile, part: PartFile): boolean {
  if (part.sizeBytes > begun.sizeBytes) return false;
  return begun.validator !== null || begun.sha256 !== null;
}

function rangeHeaders(start: number, begun: RemoteFile | null): Record<string, string> {
  const range = { range: `bytes=${start}-` };
  return begun?.validator == null ? range : { ...range, 'if-range': begun.validator };
}

function isTheRest(answer: HubAnswer, start: number, remote: RemoteFile, begun: RemoteFile | null): boolean {
  return (
    begun !== null &&
    readContentRange(answer)?.start === start &&
    remote.sizeBytes === begun.sizeBytes &&
    remote.etag === begun.etag
  );
}

function ask(options: FileDownload, headers: Readonly<Record<string, string>>): Promise<HubAnswer> {
  const { hub, source, file, signal, idleMs } = options;
  return askHub(hub, fileUrl(hub, source, file.path), { method: 'GET', headers, signal, idleMs });
}

async function appendBody(
  { part, hub, onSize, signal }: FileDownload,
  answer: HubAnswer,
  remote: RemoteFile,
  worked: () => void,
): Promise<void> {
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      throwIfCanceled(signal);
      if (part.sizeBytes + chunk.length > remote.sizeBytes) throw tooLong(remote);
      await part.append(chunk);
      worked();
      onSize(part.sizeBytes);
    }
  } catch (error) {
    if (answer.body.errored === null) throw error;
    throw connectionTrouble(hub.base, error);
  }
  if (part.sizeBytes < remote.sizeBytes) {
    throw connectionTrouble(hub.base, `${remote.path} ended at byte ${part.sizeBytes} of ${remote.sizeBytes}`);
  }
}

function cannotContinue({ hub, file }: FileDownload): EditError {
  return new EditError(
    'connection-lost',
    `The connection to ${hub.base.host} is lost again and again, and ${file.path} is sent from its beginning each time.`,
    { hint: 'Try again on a better connection, or with another HF_ENDPOINT.' },
  );
}

function tooLong({ path, sizeBytes }: RemoteFile): EditError {
  return new EditError(
    'transfer-damaged',
    `${path}: the hub sends more than the ${sizeBytes} bytes that the file has.`,
    { hint: 'Check HF_ENDPOINT and the network that you are in.' },
  );
}
