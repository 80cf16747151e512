// One connection: who it is, and what it asks for, one message after the other in the order of arrival.

import { setImmediate as turn } from 'node:timers/promises';
import { parseChunk } from '../../../../protocol/messages/chunk.ts';
import { parseClientMessage, type ClientMessage } from '../../../../protocol/messages/client-messages.ts';
import { FieldError } from '../../../../protocol/fields.ts';
import { maxControlBytes, windowBytes } from '../../../../protocol/limits.ts';
import { requestIdOf } from '../../../../protocol/messages/message.ts';
import { serverName } from '../../../../protocol/identity.ts';
import type { Hello, Identify, Pair } from '../../../../protocol/messages/session-messages.ts';
import { createTurns } from '../../../../protocol/turns.ts';
import { protocolVersion } from '../../../../protocol/version.ts';
import { EditError } from '../../errors.ts';
import { toClientError } from '../../wire-error.ts';
import type { Relay } from '../../relay/relay.ts';
import type { Peer } from './peer.ts';
import type { SessionDeps } from './session-deps.ts';
import { createDispatcher, type Dispatcher } from './session-dispatcher.ts';
import { typed } from '../../typed-command.ts';

export type { SessionDeps } from './session-deps.ts';

/** Bytes of messages that may wait for their turn: a client's window, and control messages in addition. */
const maxWaitingBytes = windowBytes + 16 * maxControlBytes;

/** Bytes that a waiting message counts in addition to its own. */
const messageCostBytes = 256;

/** Messages that may wait on a connection that has not said hello. */
export const maxStrangerMessages = 16;

export interface Session {
  receiveText(text: string): void;
  receiveBinary(bytes: Uint8Array): void;
  isAuthenticated(): boolean;
  isShownOut(): boolean;
  /** The client of the connection; null before its hello. */
  clientId(): string | null;
  /** Ends the connection; messages whose work has not begun are dropped. */
  showOut(reason: string): void;
  /** Carries out the messages that have arrived, then ends the session. Call once, when the connection has ended. */
  close(): Promise<void>;
}

export function createSession(deps: SessionDeps, peer: Peer): Session {
  const { pairings, identity, version, models, device, log } = deps;
  let client: { readonly clientId: string; readonly dispatcher: Dispatcher } | undefined;
  let isShownOut = false;
  let relay: Relay | null = null;
  let waitingBytes = 0;
  let waitingMessages = 0;
  const turns = createTurns();

  const isEnded = (): boolean => isShownOut;

  function identify({ requestId, nonce }: Identify): void {
    const { instanceId } = identity;
    const proof = identity.proof(nonce, peer.port);
    peer.send({ type: 'identity', requestId, name: serverName, version, protocol: protocolVersion, instanceId, proof });
  }

  async function pair({ requestId, protocol, code, name }: Pair): Promise<void> {
    requireVersion(protocol);
    const paired = await pairings.exchange(code, name, peer.address);
    const { clientId } = paired.client;
    peer.send({ type: 'paired', requestId, clientId, token: paired.token });
  }

  async function authenticate({ requestId, protocol, token, client: program }: Hello): Promise<void> {
    requireVersion(protocol);
    const known = pairings.authenticate(token);
    if (known === null) {
      throw new EditError('not-paired', 'The token is of no pairing.', {
        hint: `Pair with the code that the server shows; ${typed('pair')} makes a new one.`,
      });
    }
    const { clientId } = known;
    if (client !== undefined && client.clientId !== clientId) {
      throw new EditError('invalid-request', 'This connection belongs to another client.');
    }
    pairings.noteSeen(clientId, program.version);
    peer.admit(known);
    if (isShownOut) return;
    if (client === undefined) relay = (await deps.openRelay?.(clientId, program, peer)) ?? null;
    // The client has gone meanwhile: nobody else would end the relay.
    if (isEnded()) {
      await relay?.close();
      return;
    }
    const facts = relay?.welcome ?? { device: device(), models: models() };
    peer.send({
      type: 'welcome',
      requestId,
      protocol: protocolVersion,
      server: { name: serverName, version },
      ...facts,
    });
    client ??= {
      clientId,
      dispatcher: relay ?? createDispatcher(deps, peer, { ...known, version: program.version }, refuse),
    };
  }

  async function handle(message: ClientMessage): Promise<void> {
    if (message.type === 'hello') {
      await authenticate(message);
    } else if (message.type === 'identify') {
      identify(message);
    } else if (message.type === 'pair') {
      await pair(message);
    } else if (client === undefined) {
      throw new EditError('not-paired', `The first message must be hello or pair, got ${message.type}.`);
    } else {
      await client.dispatcher.handle(message);
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
      if (client === undefined) {
        throw new EditError('not-paired', 'The first message must be hello or pair.');
      }
      await client.dispatcher.receive(parseChunk(bytes));
    } catch (error) {
      refuse(error, null);
    }
  }

  function refuse(error: unknown, requestId: number | null): void {
    const wireError = toClientError(error);
    if (wireError.code === 'internal') log.error('A message failed.', { error: String(error) });
    peer.send({ type: 'error', requestId, error: wireError });
    if (client === undefined) showOut('not paired');
  }

  function showOut(reason: string): void {
    isShownOut = true;
    peer.close(reason);
  }

  /**
   * Runs `work` after everything that came before it. When a connection is cut, the messages that it brought are still
   * carried out, because its client continues after them. When the server has closed the connection, they are dropped.
   * One message per turn of the event loop: a client that sends many at once does not delay the others.
   */
  function enqueue(sizeBytes: number, work: () => Promise<void>): void {
    if (isShownOut) return;
    waitingBytes += sizeBytes + messageCostBytes;
    waitingMessages++;
    const isCrowd = client === undefined && waitingMessages > maxStrangerMessages;
    if (waitingBytes > maxWaitingBytes || isCrowd) {
      showOut('more on its way than the window allows');
      return;
    }
    void turns.take(async () => {
      if (!isShownOut) await turn();
      if (!isShownOut) await work();
      waitingBytes -= sizeBytes + messageCostBytes;
      waitingMessages--;
    });
  }

  /** Chunks follow each other without waiting for the disk, but count as waiting until they are written. */
  function enqueueChunk(bytes: Uint8Array): void {
    enqueue(bytes.length, () => {
      waitingBytes += bytes.length;
      void handleBinary(bytes).finally(() => (waitingBytes -= bytes.length));
      return Promise.resolve();
    });
  }

  return {
    receiveText: (text) => enqueue(text.length, () => handleText(text)),
    receiveBinary: enqueueChunk,
    isAuthenticated: () => client !== undefined,
    isShownOut: () => isShownOut,
    clientId: () => client?.clientId ?? null,
    showOut,
    async close() {
      // Messages of an unauthenticated connection are not waited for.
      if (client === undefined) isShownOut = true;
      else await turns.over();
      await client?.dispatcher.close();
    },
  };
}

function requireVersion(protocol: number): void {
  if (protocol === protocolVersion) return;
  throw new EditError(
    'version-mismatch',
    `The client speaks version ${protocol} of the protocol, the server ${protocolVersion}.`,
    { hint: 'Install the same version of the panel and the companion server.' },
  );
}
