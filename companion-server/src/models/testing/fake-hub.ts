// A hub for tests, on this machine: one server that knows the files, another that stores the large ones, as Hugging
// Face has it. Tests bend it: cut connections, other answers, other contents.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkpointFiles as makeCheckpointFiles } from '../../weights/testing/made-checkpoint.ts';

/** A small checkpoint that a hub may have. */
export const checkpointFiles = makeCheckpointFiles();

export interface HubLogEntry {
  readonly where: 'hub' | 'storage';
  readonly method: string;
  /** Of the file in its repository. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  status: number;
  /** Of the file, where the body began. */
  start: number;
  sentBytes: number;
}

export interface FakeHub {
  readonly url: string;
  readonly storageUrl: string;
  readonly repository: string;
  readonly revision: string;
  /** By path; may be changed at any time. */
  readonly files: Map<string, Uint8Array>;
  readonly log: HubLogEntry[];
  /** Bytes of a body after which the connection is cut; undefined: it is not. */
  cutAfter: (entry: HubLogEntry) => number | undefined;
  /** Answers a request in another way; returns whether it did. */
  answer: (entry: HubLogEntry, request: IncomingMessage, response: ServerResponse) => boolean;
  close(): Promise<void>;
}

const repository = 'someone/something';
const revision = 'c0ffee'.padEnd(40, '0');

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

export async function startFakeHub(contents: Readonly<Record<string, string | Uint8Array>>): Promise<FakeHub> {
  const files = new Map(
    Object.entries(contents).map(([path, content]) => [path, Buffer.from(content)] as const),
  ) as Map<string, Uint8Array>;
  const log: HubLogEntry[] = [];
  const prefixes = [`/${repository}/resolve/${revision}/`, '/api/resolve-cache/', '/storage/'];

  const handle =
    (where: 'hub' | 'storage') =>
    (request: IncomingMessage, response: ServerResponse): void => {
      const url = new URL(request.url ?? '/', 'http://x');
      const prefix = prefixes.find((known) => url.pathname.startsWith(known)) ?? '/';
      const path = decodeURIComponent(url.pathname.slice(prefix.length));
      const { method = 'GET', headers } = request;
      const entry: HubLogEntry = {
        where,
        method,
        path,
        headers,
        status: 0,
        start: 0,
        sentBytes: 0,
      };
      log.push(entry);
      response.once('close', () => (entry.status = response.statusCode));
      if (hub.answer(entry, request, response)) return;
      const bytes = files.get(path);
      if (bytes === undefined) {
        response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
      } else if (where === 'storage') {
        sendFile(hub, entry, bytes, `"${md5(bytes)}"`, response);
      } else if (prefix === '/api/resolve-cache/') {
        sendFile(hub, entry, bytes, `"${sha1(bytes)}"`, response);
      } else if (path.endsWith('.safetensors')) {
        response
          .writeHead(302, {
            location: `${hub.storageUrl}/storage/${path}?signature=secret`,
            'x-linked-etag': `"${sha256(bytes)}"`,
            'x-linked-size': bytes.length,
          })
          .end();
      } else {
        response.writeHead(307, { location: `/api/resolve-cache/${path}` }).end();
      }
    };

  const servers = [createServer(handle('hub')), createServer(handle('storage'))] as const;
  const [url, storageUrl] = await Promise.all(servers.map(listen));
  const hub: FakeHub = {
    url: url as string,
    storageUrl: storageUrl as string,
    repository,
    revision,
    files,
    log,
    cutAfter: () => undefined,
    answer: () => false,
    async close() {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
    },
  };
  return hub;
}

/** The body of a file from where the request wants it, cut where the test wants it. */
function sendFile(hub: FakeHub, entry: HubLogEntry, bytes: Uint8Array, etag: string, response: ServerResponse): void {
  const [, from] = /^bytes=(\d+)-$/.exec(entry.headers.range ?? '') ?? [];
  const condition = entry.headers['if-range'];
  const start = from !== undefined && (condition ?? etag) === etag ? Number(from) : 0;
  if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const body = bytes.subarray(start);
  entry.start = start;
  response.writeHead(start > 0 ? 206 : 200, {
    etag,
    'content-length': body.length,
    ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
  });
  if (entry.method === 'HEAD') {
    response.end();
    return;
  }
  const cut = hub.cutAfter(entry);
  entry.sentBytes = Math.min(cut ?? body.length, body.length);
  if (cut === undefined || cut >= body.length) response.end(body);
  else response.write(body.subarray(0, cut), () => response.socket?.destroy());
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
