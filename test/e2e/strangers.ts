// Programs of others at ports where the companion server might be.

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, createServer as createPlainServer, type AddressInfo, type Server } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

/** Everything that a stranger was told. */
export interface Stranger {
  readonly port: number;
  readonly heard: string[];
}

/** A page and a queue of events at every address, as Gradio has them; it takes any WebSocket and any subprotocol. */
export async function startTalkativeStranger(): Promise<Stranger> {
  const heard: string[] = [];
  const note = ({ url, headers }: IncomingMessage): void => void heard.push(`${url} ${JSON.stringify(headers)}`);
  const http = createServer((request, response) => {
    note(request);
    request.on('data', (bytes: Buffer) => heard.push(bytes.toString('utf8')));
    response.setHeader('content-type', 'application/json').end('{"version":"5.0.1","protocol":"sse_v3"}');
  });
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket, request) => {
    note(request);
    socket.send('{"msg":"send_hash"}');
    socket.on('message', (data: Buffer) => {
      heard.push(data.toString('utf8'));
      socket.send('{"msg":"estimation","rank":0}');
    });
  });
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    http.closeAllConnections();
  });
  return { port: await listen(http), heard };
}

/** It takes connections in and never says a word. */
export async function startSilentStranger(): Promise<Stranger> {
  const heard: string[] = [];
  const tcp = createPlainServer((socket) => {
    socket.on('data', (bytes) => heard.push(bytes.toString('utf8')));
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
  });
  return { port: await listen(tcp), heard };
}

/** A program of another user that sends everything on to the server at `target`. It can read what WebSockets do not mask. */
export async function startForwarder(target: number): Promise<Stranger> {
  const heard: string[] = [];
  const tcp = createPlainServer((socket) => {
    const onward = connect(target, '127.0.0.1');
    for (const end of [socket, onward]) end.on('error', () => undefined);
    socket.on('data', (bytes) => heard.push(unmask(bytes)));
    socket.pipe(onward).pipe(socket);
    onTestFinished(() => {
      socket.destroy();
      onward.destroy();
    });
  });
  return { port: await listen(tcp), heard };
}

/** The text of one short masked frame (RFC 6455, section 5.2), or the bytes as they are. */
function unmask(bytes: Buffer): string {
  const isShortText = bytes[0] === 0x81 && bytes[1] !== undefined && bytes[1] >= 0x80 && bytes[1] <= 0xfe;
  if (!isShortText) return bytes.toString('latin1');
  const start = bytes[1] === 0xfe ? 4 : 2;
  const mask = bytes.subarray(start, start + 4);
  return Buffer.from(bytes.subarray(start + 4).map((byte, at) => byte ^ (mask[at % 4] ?? 0))).toString('latin1');
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port that nobody uses at this moment. */
export async function freePort(): Promise<number> {
  const server = createPlainServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
