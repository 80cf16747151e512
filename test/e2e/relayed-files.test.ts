// Files of another machine that a server passes on, with a machine that answers as it likes.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createRelayedFiles, type RelayedFiles } from '../../companion-server/src/relay/relayed-files.ts';
import type { RemoteServer } from '../../companion-server/src/relay/remote-server.ts';
import { createSelfSigned } from '../../companion-server/src/self-signed-certificate.ts';

const jobId = 'c'.repeat(32);
const videoUrl = `/playback/${jobId}/edit?client=a&expires=1&signature=x-_1`;
const video = { 'content-type': 'video/mp4' };
const whole = { isHead: false, headers: {} };

interface Scene {
  readonly remote: RemoteServer;
  readonly files: RelayedFiles;
}

/** A machine that answers as `answer` does, and what passes its files on to those here. `change`: which machine is connected. */
async function start(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  change: (remote: RemoteServer) => RemoteServer | null = (remote) => remote,
): Promise<Scene> {
  const { certificate, key } = createSelfSigned('there');
  const server = createServer({ cert: certificate, key }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const remote = { url: `https://127.0.0.1:${port}`, certificate, token: 't'.repeat(64) };
  const files = createRelayedFiles(() => Promise.resolve(change(remote)));
  files.noteLink('here', remote.url, videoUrl);
  return { remote, files };
}

test('the ranges of a request and what describes them in the answer pass, and no other header', async () => {
  const asked: IncomingMessage[] = [];
  const { files } = await start((request, response) => {
    asked.push(request);
    response.writeHead(206, {
      ...video,
      'content-range': 'bytes 0-2/9',
      etag: '"1"',
      'set-cookie': 'a=b',
      link: '<x>',
    });
    response.end('abc');
  });
  const headers = { range: 'bytes=0-2', 'if-range': '"1"', cookie: 'secret', authorization: 'Bearer of this server' };
  const answer = await files.open({ url: videoUrl, isHead: false, headers });
  expect(await buffer(answer.body)).toEqual(Buffer.from('abc'));
  expect(answer).toMatchObject({ status: 206 });
  expect(answer.headers).toEqual({ ...video, 'content-range': 'bytes 0-2/9', etag: '"1"' });
  expect(asked[0]?.url).toBe(videoUrl);
  expect(asked[0]?.headers).toMatchObject({ range: 'bytes=0-2', 'if-range': '"1"' });
  expect(Object.keys(asked[0]?.headers ?? {})).not.toEqual(expect.arrayContaining(['cookie']));
  expect(asked[0]?.headers).not.toHaveProperty('authorization');
});

test('a reader that is slow slows the other machine down', async () => {
  const pieceBytes = 1 << 20;
  const pieces = 96;
  let sentPieces = 0;
  const { files } = await start((_request, response) => {
    response.writeHead(200, { ...video, 'content-length': pieceBytes * pieces });
    const send = (): void => {
      while (sentPieces < pieces) {
        sentPieces++;
        if (!response.write(Buffer.alloc(pieceBytes))) {
          response.once('drain', send);
          return;
        }
      }
      response.end();
    };
    send();
  });
  const { body } = await files.open({ ...whole, url: videoUrl });
  let readBytes = 0;
  let mostAheadBytes = 0;
  for await (const piece of body) {
    readBytes += (piece as Buffer).length;
    mostAheadBytes = Math.max(mostAheadBytes, sentPieces * pieceBytes - readBytes);
    await turn();
  }
  expect(readBytes).toBe(pieceBytes * pieces);
  // What the buffers of sockets hold.
  expect(mostAheadBytes).toBeLessThan(32 * pieceBytes);
});

test.each([
  `/results/${jobId}`,
  `/playback/${jobId}/secrets?signature=x`,
  `/playback/${jobId}/../../metrics?signature=x`,
  '/metrics?signature=x',
  `//elsewhere/results/${jobId}?signature=x`,
  `/results/${jobId}?signature=x y`,
])('the address %s is no link, whoever gives it', async (url) => {
  const { files, remote } = await start(() => expect.unreachable());
  files.noteLink('here', remote.url, url);
  expect(files.ownerOf(url)).toBeNull();
  await expect(files.open({ ...whole, url })).rejects.toMatchObject({ code: 'not-paired' });
});

test('a link is known for some minutes, and for the client that was given it', () => {
  let now = 0;
  const files = createRelayedFiles(
    () => Promise.resolve(null),
    () => now,
  );
  files.noteLink('here', 'https://there', videoUrl);
  expect(files.ownerOf(videoUrl)).toBe('here');
  now = 10 * 60 * 1000;
  expect(files.ownerOf(videoUrl)).toBeNull();
});

test('a client that asks for links without end takes no more memory than a thousand links', () => {
  const files = createRelayedFiles(() => Promise.resolve(null));
  const link = (number: number): string => `/results/${jobId}?expires=${number}`;
  for (let number = 0; number <= 1_000; number++) files.noteLink('here', 'https://there', link(number));
  expect([0, 1, 1_000].map((number) => files.ownerOf(link(number)))).toEqual([null, 'here', 'here']);
});

test('a link opens nothing at another machine than the one that gave it, nor after disconnecting', async () => {
  for (const change of [(remote: RemoteServer) => ({ ...remote, url: 'https://127.0.0.1:9' }), () => null]) {
    const { files } = await start(() => expect.unreachable(), change);
    await expect(files.open({ ...whole, url: videoUrl })).rejects.toMatchObject({ code: 'not-paired' });
  }
});

test('a machine with another certificate hears nothing', async () => {
  const other = createSelfSigned('there').certificate;
  const { files } = await start(
    () => expect.unreachable(),
    (remote) => ({ ...remote, certificate: other }),
  );
  await expect(files.open({ ...whole, url: videoUrl })).rejects.toMatchObject({ code: 'connection-lost' });
});

test.each([
  [200, { 'content-type': 'text/html' }, 'connection-lost'],
  [302, { location: 'https://elsewhere' }, 'connection-lost'],
  [500, video, 'connection-lost'],
  [401, {}, 'not-paired'],
  [404, {}, 'job-missing'],
] as const)('an answer with status %i and the headers %j is the failure %s', async (status, headers, code) => {
  const { files } = await start((_request, response) => {
    response.writeHead(status, headers);
    response.end('<script>');
  });
  await expect(files.open({ ...whole, url: videoUrl })).rejects.toMatchObject({ code });
});

test.each([
  [304, { etag: '"1"' }],
  [416, { 'content-range': 'bytes */9' }],
] as const)('an answer with status %i passes without a body', async (status, expected) => {
  const { files } = await start((_request, response) => {
    response.writeHead(status, { ...expected, 'content-type': 'text/html' });
    response.end();
  });
  const answer = await files.open({ ...whole, url: videoUrl });
  expect(answer).toMatchObject({ status, headers: expected });
  expect(answer.headers).toEqual(expected);
});
