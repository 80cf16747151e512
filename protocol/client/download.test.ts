import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResultSink } from './download.ts';
import { createScene } from './testing/fake-client.ts';

const jobId = 'b'.repeat(32);
const bytesOf = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 7)) & 255);

function createSink(there = new Uint8Array(0)): ResultSink & { content(): Uint8Array } {
  let content = there;
  return {
    get receivedBytes() {
      return content.length;
    },
    write(offset, bytes) {
      if (offset !== content.length) throw new Error(`Written at ${offset}, not ${content.length}.`);
      const whole = new Uint8Array(offset + bytes.length);
      whole.set(content);
      whole.set(bytes, offset);
      content = whole;
      return Promise.resolve();
    },
    read: (offset, length) => Promise.resolve(content.slice(offset, offset + length)),
    content: () => content,
  };
}

describe('a download', () => {
  test('arrives whole, wherever connections are cut and whatever was there before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 3000 }),
        fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (size, cuts, share) => {
          const result = bytesOf(size);
          const { server, client, outcome } = createScene({ result });
          server.cuts.push(...cuts);
          client.start();
          const sink = createSink(result.slice(0, Math.floor(size * share)));
          await outcome(client.download(jobId, sink));
          expect(sink.content()).toEqual(result);
          await client.stop();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is acknowledged as it is written, so that never more than the window is on its way', async () => {
    const { server, client, outcome } = createScene({ result: bytesOf(2000), chunkBytes: 50, windowBytes: 150 });
    client.start();
    await outcome(client.download(jobId, createSink()));
    expect(server.mostUnacknowledged).toBe(150);
  });

  test('with another hash than the server has is said to be damaged', async () => {
    const { client, outcome } = createScene({ result: bytesOf(200), resultSha256: '0'.repeat(64) });
    client.start();
    await expect(outcome(client.download(jobId, createSink()))).rejects.toMatchObject({
      code: 'transfer-damaged',
    });
  });

  test('tells what the sink throws, and ends its stream', async () => {
    const { server, client, outcome } = createScene({ result: bytesOf(200) });
    client.start();
    const sink = {
      ...createSink(),
      receivedBytes: 0,
      write: () => Promise.reject(new Error('full')),
    };
    await expect(outcome(client.download(jobId, sink))).rejects.toThrow('full');
    await outcome(Promise.resolve());
    expect(server.heard.at(-1)?.type).toBe('stream-cancel');
  });

  test('of one picture is put together from its chunks, also after a cut', async () => {
    const result = bytesOf(300);
    const { server, client, outcome } = createScene({ result });
    server.cuts.push(150);
    client.start();
    const wish = { side: 'edit', id: jobId, frameIndex: 3, maxSide: 640 } as const;
    expect(await outcome(client.frame(wish))).toEqual(result);
  });
});
