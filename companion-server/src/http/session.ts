// One connection: who it is, and what it asks for, one message after the other in the order of arrival.

import { parseChunk } from '../../../protocol/chunk.ts';
import {
  parseClientMessage,
  type ClientMessage,
  type Hello,
} from '../../../protocol/client-messages.ts';
import { FieldError } from '../../../protocol/fields.ts';
import { maxControlBytes, windowBytes } from '../../../protocol/limits.ts';
import { requestIdOf } from '../../../protocol/message.ts';
import { protocolVersion } from '../../../protocol/version.ts';
import { EditError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Pairings } from '../pairing/pairings.ts';
import { toWireError } from '../wire-error.ts';
import type { Peer } from './peer.ts';
import { createSessionDownloads } from './session-downloads.ts';
import { createSessionJobs, type SessionJobsDeps } from './session-jobs.ts';
import { createSessionUploads } from './session-uploads.ts';

/** Bytes of messages that may wait for their turn: a client's window, and control messages beside it. */
const maxWaitingBytes = windowBytes + 16 * maxControlBytes;

export interface SessionDeps extends Pick<SessionJobsDeps, 'queue' | 'models'> {
  readonly version: string;
  readonly pairings: Pick<Pairings, 'authenticate' | 'noteSeen'>;
  /** Existing folder for uploaded clips. */
  readonly clipsDir: string;
  readonly log: Log;
}

export interface Session {
  receiveText(text: string): void;
  receiveBinary(bytes: Uint8Array): void;
  isWelcome(): boolean;
  /** Cancels and removes all that the connection has on the server. Call once, when it has ended. */
  close(): Promise<void>;
}

export function createSession(deps: SessionDeps, peer: Peer): Session {
  const { pairings, version, models, queue, clipsDir, log } = deps;
  let streams = 0;
  const takeStreamId = (): number => ++streams;
  const uploads = createSessionUploads(peer, clipsDir, takeStreamId);
  const jobs = createSessionJobs(peer, {
    queue,
    models,
    clipPathOf: (clipId) => uploads.pathOf(clipId),
  });
  const downloads = createSessionDownloads(peer, (jobId) => jobs.resultOf(jobId), takeStreamId);

  let isWelcome = false;
  let isClosed = false;
  let waitingBytes = 0;
  let last: Promise<void> = Promise.resolve();

  function greet({ requestId, protocol, token, client: program }: Hello): void {
    if (protocol !== protocolVersion) {
      throw new EditError(
        'version-mismatch',
        `The client speaks version ${protocol} of the protocol, the server ${protocolVersion}.`,
        { hint: 'Install the same version of the panel and the companion server.' },
      );
    }
    const client = pairings.authenticate(token);
    if (client === null) {
      throw new EditError('not-paired', 'The token is of no pairing.', {
        hint: 'Pair with the code that the server shows; npm run pair makes a new one.',
      });
    }
    pairings.noteSeen(client.clientId, program.version);
    peer.admit(client);
    isWelcome = true;
    const server = { name: 'tokenflow', version };
    const names = [...models.keys()];
    peer.send({ type: 'welcome', requestId, protocol: protocolVersion, server, models: names });
  }

  async function handle(message: ClientMessage): Promise<void> {
    if (message.type === 'hello') {
      greet(message);
      return;
    }
    if (!isWelcome) {
      throw new EditError('not-paired', `The first message must be hello, got ${message.type}.`);
    }
    switch (message.type) {
      case 'upload-begin':
        await uploads.begin(message);
        break;
      case 'upload-end':
        await uploads.end(message);
        break;
      case 'stream-cancel':
        downloads.cancel(message.streamId);
        await uploads.cancel(message.streamId);
        break;
      case 'job-create':
        jobs.create(message);
        break;
      case 'job-cancel':
        jobs.cancel(message);
        break;
      case 'job-delete':
        await jobs.delete(message);
        break;
      case 'download-begin':
        downloads.begin(message);
        break;
      case 'download-ack':
        downloads.acknowledge(message);
        break;
    }
  }

  async function handleText(text: string): Promise<void> {
    try {
      if (text.length > maxControlBytes) {
        throw new FieldError('message', `must have at most ${maxControlBytes} bytes.`);
      }
      await handle(parseClientMessage(text));
    } catch (error) {
      refuse(error, text.length > maxControlBytes ? null : requestIdOf(text));
    }
  }

  async function handleBinary(bytes: Uint8Array): Promise<void> {
    try {
      if (!isWelcome) throw new EditError('not-paired', 'The first message must be hello.');
      await uploads.receive(parseChunk(bytes));
    } catch (error) {
      refuse(error, null);
    }
  }

  function refuse(error: unknown, requestId: number | null): void {
    const wireError = toWireError(error);
    if (wireError.code === 'internal') log.error('A message failed.', { error: String(error) });
    peer.send({ type: 'error', requestId, error: wireError });
    if (!isWelcome) peer.close('not paired');
  }

  /** Runs `work` after all that came before it, unless the connection has ended by then. */
  function enqueue(sizeBytes: number, work: () => Promise<void>): void {
    waitingBytes += sizeBytes;
    if (waitingBytes > maxWaitingBytes) {
      peer.close('more bytes on their way than the window allows');
      return;
    }
    last = last.then(async () => {
      if (!isClosed) await work();
      waitingBytes -= sizeBytes;
    });
  }

  return {
    receiveText: (text) => enqueue(text.length, () => handleText(text)),
    receiveBinary: (bytes) => enqueue(bytes.length, () => handleBinary(bytes)),
    isWelcome: () => isWelcome,
    async close() {
      isClosed = true;
      const ended = jobs.close();
      await last;
      await downloads.close();
      await ended;
      await uploads.close();
    },
  };
}
