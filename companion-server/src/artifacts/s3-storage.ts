// Objects in a bucket of a server that speaks the protocol of Amazon S3. The package is optional: who keeps artifacts in a
// folder does not need it.

import type * as S3 from '@aws-sdk/client-s3';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { EditError } from '../errors.ts';
import { namesOf } from './ids.ts';
import type { ObjectStorage, StoredObject } from './object-storage.ts';

export interface S3Address {
  readonly bucket: string;
  /** Names joined by `/` that every key begins with; empty for none. */
  readonly prefix: string;
  /** Address of the server; null for Amazon's of the region. */
  readonly endpoint: string | null;
  readonly region: string;
}

export interface S3StorageOptions extends S3Address {
  /** Default: those of the AWS tools (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, profiles, roles). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Size of the parts that a large file is sent in, and above which it is. Default: 16 MiB; Amazon takes 5 MiB or more. */
  readonly partBytes?: number;
}

const defaultPartBytes = 16 * 1024 * 1024;

/** Amazon takes no more in one upload (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). */
const maxParts = 10_000;

/** What a server copies by one request (Amazon S3 API Reference, CopyObject). */
const maxCopyBytes = 5 * 1024 ** 3;

/** Throws EditError 'invalid-request' when the package is not installed. */
export async function openS3Storage(options: S3StorageOptions): Promise<ObjectStorage> {
  const { bucket, prefix, endpoint, region, credentials, partBytes = defaultPartBytes } = options;
  const s3 = await loadPackage();
  const client = new s3.S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
    // Servers of others than Amazon may not know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const base = prefix === '' ? '' : `${prefix}/`;
  const placeOf = (key: string) => ({ Bucket: bucket, Key: base + namesOf(key).join('/') });

  async function statOf(key: string): Promise<StoredObject | null> {
    try {
      const { ContentLength = 0, ETag = '', LastModified } = await client.send(new s3.HeadObjectCommand(placeOf(key)));
      return { key, sizeBytes: ContentLength, version: versionOf(ETag, LastModified) };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  async function* pagesOf(folder: string, isDeep: boolean) {
    let token: string | undefined;
    do {
      const page = await client.send(
        new s3.ListObjectsV2Command({
          Bucket: bucket,
          Prefix: `${placeOf(folder).Key}/`,
          ContinuationToken: token,
          ...(isDeep ? {} : { Delimiter: '/' }),
        }),
      );
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async function writeInParts(key: string, file: FileHandle, sizeBytes: number): Promise<void> {
    const place = placeOf(key);
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(place));
    const upload = { ...place, UploadId };
    const size = Math.max(partBytes, Math.ceil(sizeBytes / maxParts));
    const parts: S3.CompletedPart[] = [];
    try {
      for (let start = 0; start < sizeBytes; start += size) {
        const Body = await readPart(file, start, Math.min(size, sizeBytes - start));
        const PartNumber = parts.length + 1;
        const { ETag } = await client.send(new s3.UploadPartCommand({ ...upload, PartNumber, Body }));
        parts.push({ ETag, PartNumber });
      }
      await client.send(new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }));
    } catch (error) {
      // The parts of an upload that nobody ends cost space. Where this fails as well, the first failure is the cause.
      await client.send(new s3.AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  }

  async function write(key: string, source: string | Uint8Array): Promise<StoredObject> {
    if (typeof source !== 'string') await client.send(new s3.PutObjectCommand({ ...placeOf(key), Body: source }));
    else {
      const { size } = await stat(source);
      const file = await open(source, 'r');
      try {
        if (size > partBytes) await writeInParts(key, file, size);
        else {
          const Body = await readPart(file, 0, size);
          await client.send(new s3.PutObjectCommand({ ...placeOf(key), Body }));
        }
      } finally {
        await file.close();
      }
    }
    const written = await statOf(key);
    if (written === null) throw new Error(`The bucket '${bucket}' has lost '${key}' right after it was written.`);
    return written;
  }

  async function remove(key: string): Promise<void> {
    await client.send(new s3.DeleteObjectCommand(placeOf(key)));
  }

  /** A part of an object as the place that a copy is made from. */
  const sourceOf = (key: string): string =>
    `${bucket}/${placeOf(key).Key.split('/').map(encodeURIComponent).join('/')}`;

  async function copyInParts(from: string, to: string, sizeBytes: number): Promise<void> {
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(placeOf(to)));
    const upload = { ...placeOf(to), UploadId };
    const parts: S3.CompletedPart[] = [];
    for (let start = 0; start < sizeBytes; start += maxCopyBytes) {
      const end = Math.min(sizeBytes, start + maxCopyBytes) - 1;
      const part = { PartNumber: parts.length + 1, CopySourceRange: `bytes=${start}-${end}` };
      const { CopyPartResult } = await client.send(
        new s3.UploadPartCopyCommand({ ...upload, ...part, CopySource: sourceOf(from) }),
      );
      parts.push({ ETag: CopyPartResult?.ETag, PartNumber: part.PartNumber });
    }
    await client.send(new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }));
  }

  return {
    stat: statOf,
    async listBelow(folder) {
      const found: StoredObject[] = [];
      for await (const { Contents = [] } of pagesOf(folder, true)) {
        for (const { Key = '', Size = 0, ETag = '', LastModified } of Contents) {
          found.push({ key: Key.slice(base.length), sizeBytes: Size, version: versionOf(ETag, LastModified) });
        }
      }
      return found;
    },
    async namesIn(folder) {
      const names: string[] = [];
      const start = placeOf(folder).Key.length + 1;
      for await (const { Contents = [], CommonPrefixes = [] } of pagesOf(folder, false)) {
        names.push(...Contents.map(({ Key = '' }) => Key.slice(start)));
        names.push(...CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(start, -1)));
      }
      return names;
    },
    async read(key, firstByte) {
      // A range that begins at the end has no bytes, which the protocol calls an error.
      if (firstByte > 0 && (await statOf(key))?.sizeBytes === firstByte) return nothing();
      const range = firstByte === 0 ? {} : { Range: `bytes=${firstByte}-` };
      const { Body } = await client.send(new s3.GetObjectCommand({ ...placeOf(key), ...range }));
      return Body === undefined ? nothing() : (Body as unknown as AsyncIterable<Uint8Array>);
    },
    write,
    async move(from, to) {
      const sizeBytes = (await statOf(from))?.sizeBytes ?? 0;
      if (sizeBytes > maxCopyBytes) await copyInParts(from, to, sizeBytes);
      else await client.send(new s3.CopyObjectCommand({ ...placeOf(to), CopySource: sourceOf(from) }));
      await remove(from);
    },
    delete: remove,
  };
}

async function loadPackage(): Promise<typeof S3> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new EditError(
      'invalid-request',
      'TOKENFLOW_STORE names a bucket, but the package @aws-sdk/client-s3 is missing.',
      {
        hint: 'Install it beside the server: npm install --no-save @aws-sdk/client-s3.',
        cause: error,
      },
    );
  }
}

async function readPart(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const part = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await file.read(part, filled, length - filled, start + filled);
    if (bytesRead === 0) throw new Error('A file has become shorter while it was sent to the shared storage.');
    filled += bytesRead;
  }
  return part;
}

/** An object that is written again with the same bytes has the same ETag. Times have whole seconds in some answers. */
function versionOf(etag: string, modified: Date | undefined): string {
  return `${etag}-${Math.floor((modified?.getTime() ?? 0) / 1000)}`;
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An object without bytes.
}
