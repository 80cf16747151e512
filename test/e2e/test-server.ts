// A companion server with a fake engine, and clients for it.

import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../companion-server/src/client/connect.ts';
import type { Client } from '../../protocol/client/client.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { protocolVersion, socketPath, subprotocol } from '../../protocol/version.ts';
import { parseServerMessage, type ServerMessage } from '../../protocol/messages/server-messages.ts';
import { startCompanion, type CompanionParts, type CompanionPlace } from '../companion.ts';
import { testMedia } from '../fixtures/media.ts';
import type { Workspace } from './workspace.ts';

interface ServerParts extends Omit<CompanionParts, 'probe'> {
  /** Default: finds a video in any bytes. Null for the server's own. */
  readonly probe?: CompanionParts['probe'] | null;
}

/** Starts a server whose engine is the fixture of this name. It is closed when the test has finished. */
export async function startTestServer(
  workspace: Workspace & Pick<CompanionPlace, 'library'>,
  engineName = 'copying',
  { probe = () => Promise.resolve(testMedia), ...parts }: ServerParts = {},
): Promise<RunningServer> {
  const server = await startCompanion(workspace, engineName, probe === null ? parts : { ...parts, probe });
  onTestFinished(() => server.close());
  return server;
}

/** A client that looks for a lost server for `patienceMs`; not at all by default. */
export async function connectTo({ url, token }: Pick<RunningServer, 'url' | 'token'>, patienceMs = 0): Promise<Client> {
  const client = { name: 'test', version: '0' };
  const connection = await connect({ url, token: () => token, client, patienceMs });
  onTestFinished(() => connection.stop());
  return connection;
}

/** A client that may say anything: the raw socket with a queue of what the server said. */
export interface RawClient {
  readonly socket: WebSocket;
  say(message: unknown): void;
  /** The next message of the server. */
  hear(): Promise<ServerMessage>;
  /** Code and reason of the connection's end. */
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;
}

export async function connectRaw({ url }: Pick<RunningServer, 'url'>): Promise<RawClient> {
  const socket = new WebSocket(new URL(socketPath, url.replace('http', 'ws')), subprotocol);
  onTestFinished(() => socket.terminate());
  const heard: ServerMessage[] = [];
  const waiting: ((message: ServerMessage) => void)[] = [];
  socket.on('message', (data, isBinary) => {
    if (isBinary) return;
    const message = parseServerMessage((data as Buffer).toString('utf8'));
    const listener = waiting.shift();
    if (listener === undefined) heard.push(message);
    else listener(message);
  });
  const ended = once(socket, 'close').then(([code, reason]) => ({
    code: code as number,
    reason: String(reason),
  }));
  await once(socket, 'open');
  return {
    socket,
    ended,
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    hear: () => {
      const message = heard.shift();
      if (message !== undefined) return Promise.resolve(message);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** Says hello with the right token. */
export async function greet(client: RawClient, { token }: RunningServer): Promise<ServerMessage> {
  client.say({
    type: 'hello',
    requestId: 0,
    protocol: protocolVersion,
    client: { name: 'test', version: '0' },
    token,
  });
  return client.hear();
}
