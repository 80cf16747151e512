// Artifacts in a bucket, on s3rver: a server on this machine that speaks a part of the protocol. It is no Amazon: what it
// does not know (other checksums, limits of sizes) is not shown here. It cannot list more than one page either: the cipher
// of its continuation tokens is not in OpenSSL 3. Pages come from a server of these tests.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeDataFolder } from '../../../test/artifact-fixture.ts';
import { describeArtifactStore, makeArrivals } from '../../../test/contracts/artifact-store.ts';
import { openMirroredArtifacts } from './mirrored-store.ts';
import type { ObjectStorage } from './object-storage.ts';
import { openS3Storage } from './s3-storage.ts';

interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

type S3rverClass = new (options: Readonly<Record<string, unknown>>) => S3rver;

/** Null where the packages for these tests are not installed. */
function findServer(): S3rverClass | null {
  const require = createRequire(import.meta.url);
  try {
    require.resolve('@aws-sdk/client-s3');
    return require('s3rver') as S3rverClass;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

const Server = findServer();

const address = {
  bucket: 'clips',
  prefix: 'studio/one',
  region: 'us-east-1',
  credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
};

async function openBucket(): Promise<ObjectStorage> {
  if (Server === null) throw new Error('The tests are skipped without it.');
  const server = new Server({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: await makeDataFolder(),
    configureBuckets: [{ name: 'clips' }],
  });
  const { port } = await server.run();
  onTestFinished(() => server.close());
  return openS3Storage({ ...address, endpoint: `http://127.0.0.1:${port}`, partBytes: 5 * 1024 * 1024 });
}

/** A server whose listings have one key in each answer, and the storage on it. */
async function openPages(keys: readonly string[]): Promise<ObjectStorage> {
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const below = keys.filter((key) => key.startsWith(query.get('prefix') ?? ''));
    const page = Number(query.get('continuation-token') ?? 0);
    const next = page + 1 < below.length ? `<NextContinuationToken>${page + 1}</NextContinuationToken>` : '';
    const content = `<Contents><Key>${below[page] ?? ''}</Key><Size>${page}</Size></Contents>`;
    response.setHeader('content-type', 'application/xml');
    response.end(`<ListBucketResult>${content}<IsTruncated>${next !== ''}</IsTruncated>${next}</ListBucketResult>`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return openS3Storage({ ...address, endpoint: `http://127.0.0.1:${port}` });
}

describe.skipIf(Server === null)('with a server for buckets', () => {
  describeArtifactStore('a bucket', async () => {
    const storage = await openBucket();
    return {
      arrivals: await makeArrivals(),
      open: async () => openMirroredArtifacts({ storage, mirrorDir: join(await makeDataFolder(), 'mirror') }),
    };
  });

  test('a listing of several pages is read to its end', async () => {
    const names = ['a', 'b', 'c'];
    const storage = await openPages(['x', ...names.map((name) => `studio/one/jobs/j/${name}`)]);
    expect(await storage.listBelow('jobs/j')).toMatchObject(
      names.map((name, sizeBytes) => ({ key: `jobs/j/${name}`, sizeBytes })),
    );
    expect(await storage.namesIn('jobs/j')).toEqual(names);
  });

  test('a file of several parts arrives as it was', async () => {
    const storage = await openBucket();
    const file = join(await makeArrivals(), 'clip.mov');
    const bytes = randomBytes(11 * 1024 * 1024);
    await writeFile(file, bytes);
    expect(await storage.write('clips/a.mov', file)).toMatchObject({ sizeBytes: bytes.length });
    const store = await openMirroredArtifacts({ storage, mirrorDir: join(await makeDataFolder(), 'mirror') });
    expect(bytes.equals(await readFile(await store.localPath('clips/a.mov')))).toBe(true);
  });
});
