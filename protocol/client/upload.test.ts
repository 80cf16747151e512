import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createScene } from './testing/fake-client.ts';
import { clipMedia } from './testing/fake-jobs.ts';
import type { ClipSource } from './upload.ts';

const bytesOf = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 255);
const sourceOf = (bytes: Uint8Array): ClipSource & { readonly reads: number[] } => {
  const reads: number[] = [];
  return {
    sizeBytes: bytes.length,
    extension: 'mov',
    reads,
    read(offset, length) {
      reads.push(offset);
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
  };
};
const only = (uploads: ReadonlyMap<string, Uint8Array>): Uint8Array => [...uploads.values()][0] ?? new Uint8Array(0);

describe('an upload', () => {
  test('arrives whole, wherever connections are cut, and nothing that has arrived is sent again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3000 }),
        fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 200 }),
        async (size, cuts, chunkBytes) => {
          const { server, client, outcome } = createScene({
            chunkBytes,
            windowBytes: 3 * chunkBytes,
          });
          server.cuts.push(...cuts);
          client.start();
          const bytes = bytesOf(size);
          const sent = await outcome(client.upload(sourceOf(bytes), { uploadId: null }));
          expect(sent.media).toEqual(clipMedia);
          expect(only(server.uploads)).toEqual(bytes);
          expect(server.repeatedBytes).toBe(0);
          await client.stop();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('never has more than the window on its way', async () => {
    const { server, client, outcome } = createScene({ chunkBytes: 10, windowBytes: 30 });
    client.start();
    await outcome(client.upload(sourceOf(bytesOf(500)), { uploadId: null }));
    expect(server.mostUnacknowledged).toBe(30);
  });

  test('of an earlier run of the panel goes on where the server is, with the hash of the whole', async () => {
    const { server, client, outcome } = createScene({ chunkBytes: 64 });
    const bytes = bytesOf(1000);
    const uploadId = 'f'.repeat(32);
    server.uploads.set(uploadId, bytes.slice(0, 640));
    client.start();
    await outcome(client.upload(sourceOf(bytes), { uploadId }));
    expect(server.uploads.get(uploadId)).toEqual(bytes);
    expect(server.heard.find(({ type }) => type === 'upload-end')).toMatchObject({
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  test('that the server has forgotten is begun anew, once', async () => {
    const { server, client, outcome } = createScene();
    server.refuse('upload-begin', 'clip-missing');
    client.start();
    const bytes = bytesOf(100);
    await outcome(client.upload(sourceOf(bytes), { uploadId: 'f'.repeat(32) }));
    expect(only(server.uploads)).toEqual(bytes);
  });

  test('that is refused says why', async () => {
    const { server, client, outcome } = createScene();
    server.refuse('upload-begin', 'disk-full');
    client.start();
    const sent = client.upload(sourceOf(bytesOf(100)), { uploadId: null });
    await expect(outcome(sent)).rejects.toMatchObject({ code: 'disk-full' });
  });

  test('that is stopped ends its stream', async () => {
    const { server, client, outcome } = createScene();
    client.start();
    const stop = new AbortController();
    const source = sourceOf(bytesOf(2000));
    const sent = client.upload(
      {
        ...source,
        read(offset, length) {
          if (offset > 500) stop.abort();
          return source.read(offset, length);
        },
      },
      { uploadId: null, signal: stop.signal },
    );
    await expect(outcome(sent)).rejects.toMatchObject({ name: 'CanceledError' });
    await outcome(Promise.resolve());
    expect(server.heard.at(-1)?.type).toBe('stream-cancel');
  });

  test('of a file that has become shorter is refused here', async () => {
    const { client, outcome } = createScene();
    client.start();
    const source = { ...sourceOf(bytesOf(100)), sizeBytes: 200 };
    await expect(outcome(client.upload(source, { uploadId: null }))).rejects.toMatchObject({
      code: 'clip-unreadable',
    });
  });
});
