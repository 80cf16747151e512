// What the hub says about a file, held against what the catalogue knows.

import { EditError } from '../../errors.ts';
import type { CatalogFile } from '../catalog-file.ts';
import type { HubAnswer } from './hub-request.ts';
import { HubTrouble } from './hub-trouble.ts';

export interface RemoteFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** The catalogue's, else the hub's for large files; null when neither has one. */
  readonly sha256: string | null;
  /** Names this content at the hub; null when the hub gives none. */
  readonly etag: string | null;
  /** What the storage takes in If-Range; null when it gives nothing that is exact. */
  readonly validator: string | null;
}

/** The header of the hub that says how large a file in its storage is. */
export function isDescribed(headers: HubAnswer['headers']): boolean {
  return typeof headers['x-linked-size'] === 'string';
}

/**
 * Reads an answer with status 200 or 206, or the hub's redirect.
 * Throws EditError 'transfer-damaged' when the hub has another file than the catalogue; HubTrouble when the answer
 * contradicts itself, as a cut-off proxy's does.
 */
export function identify(answer: HubAnswer, file: CatalogFile): RemoteFile {
  const linkedEtag = plainEtag(header(answer.hubHeaders['x-linked-etag']));
  const linkedSha256 = linkedEtag !== null && /^[0-9a-f]{64}$/.test(linkedEtag) ? linkedEtag : null;
  const linkedSize = readSize(header(answer.hubHeaders['x-linked-size']));
  const sentSize = sizeOfBody(answer);
  if (linkedSize !== null && sentSize !== null && linkedSize !== sentSize) {
    throw new HubTrouble(
      new EditError(
        'transfer-damaged',
        `${file.path}: the hub says ${linkedSize} bytes, its storage sends ${sentSize}.`,
        { hint: 'Try again later, or without a proxy.' },
      ),
    );
  }
  const sizeBytes = linkedSize ?? sentSize ?? file.sizeBytes;
  if (sizeBytes === null) {
    throw new EditError('download-refused', `${file.path}: the hub does not say how large it is.`, {
      hint: 'Check HF_ENDPOINT: this may be no Hugging Face hub.',
    });
  }
  refuseOther(file, 'sizeBytes', sizeBytes);
  if (linkedSha256 !== null) refuseOther(file, 'sha256', linkedSha256);
  const etag = header(answer.headers.etag);
  return {
    path: file.path,
    sizeBytes,
    sha256: file.sha256 ?? linkedSha256,
    etag: linkedEtag ?? plainEtag(etag),
    validator: etag?.startsWith('"') === true ? etag : null,
  };
}

function refuseOther(file: CatalogFile, key: 'sizeBytes' | 'sha256', found: number | string): void {
  const expected = file[key];
  if (expected === null || expected === found) return;
  throw new EditError(
    'transfer-damaged',
    `${file.path}: the hub has another file than the catalogue: its ${key} is ${found}, not ${expected}.`,
    { hint: 'Check HF_ENDPOINT. If it is right, this model cannot be trusted; please report it.' },
  );
}

/** Where a 206 begins, and how long the whole file is; null for any other answer or a header that is none. */
export function readContentRange(
  answer: Pick<HubAnswer, 'headers'>,
): { readonly start: number; readonly total: number | null } | null {
  const text = answer.headers['content-range'];
  const [, start, , total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text ?? '') ?? [];
  if (start === undefined) return null;
  return { start: Number(start), total: readSize(total) };
}

/** The length of the whole file by an answer that carries it; null when the answer does not say. */
function sizeOfBody(answer: HubAnswer): number | null {
  if (answer.status === 206) return readContentRange(answer)?.total ?? null;
  return answer.status === 200 ? readSize(answer.headers['content-length']) : null;
}

function readSize(text: string | null | undefined): number | null {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function plainEtag(etag: string | null): string | null {
  return etag === null ? null : etag.replace(/^W\//, '').replaceAll('"', '');
}

function header(value: string | string[] | undefined): string | null {
  return typeof value === 'string' && value.length <= 300 ? value : null;
}
