// Keeps a connection: pairs, says hello, detects silence, and reconnects after every end with growing pauses. It has one
// state for users (link-state.ts) and one promise for programs: `online()`.

import type { ErrorCode } from '../error-codes.ts';
import { EditError, type Signal } from '../errors.ts';
import { protocolVersion } from '../version.ts';
import { wireErrorOf, type WireError } from '../messages/wire-error.ts';
import type { Connection } from './connection.ts';
import type { LinkState, ServerFacts } from './link-state.ts';
import { createReach } from './reach-server.ts';
import type { SessionOptions } from './session-options.ts';
import { expectAnswer, watchSilence } from './signs-of-life.ts';
import { pauseBefore } from './timing.ts';
import { createWaiters } from './waiters.ts';

export interface Session {
  readonly state: LinkState;
  /** Where the server was last reached, for example `http://127.0.0.1:47860`; null before the first time. */
  readonly address: string | null;
  subscribe(listener: (state: LinkState) => void): () => void;
  /** Called with every connection whose hello is answered, before anything else uses it. */
  onConnected(listener: (connection: Connection) => void): () => void;
  start(): void;
  /** Resolves when the socket is closed. */
  stop(): Promise<void>;
  /** Tries at once instead of at the end of the pause. */
  retryNow(): void;
  /** Exchanges a code for a token. Rejected with EditError when it is refused; the state says so too. */
  pair(code: string): Promise<void>;
  /** Forgets the token and asks for a code. */
  forget(): Promise<void>;
  /** The connection, as soon as hello is answered. Rejected with CanceledError, or with the reason the session gave up. */
  online(signal?: Signal): Promise<Connection>;
  /** Resolves with the reason when the session has given up, which happens only with a limited number of attempts. */
  readonly gaveUp: Promise<unknown>;
  /** Reports that the connection was useful: after its end the pauses start again from the shortest. */
  progressed(connection: Connection): void;
}

/** The codes of a server that does not take a key. */
const keyRefusals: readonly ErrorCode[] = ['link-void', 'pairing-refused', 'pairing-limited'];

export function createSession(options: SessionOptions): Session {
  const { tokens, client, timing } = options;
  const { clock, random } = options.platform;
  const listeners = new Set<(state: LinkState) => void>();
  const connectedListeners = new Set<(connection: Connection) => void>();
  const waiters = createWaiters<Connection>();
  let state: LinkState = { name: 'connecting' };
  let connection: Connection | null = null;
  let server: ServerFacts | null = null;
  /** Attempts in a row that have failed. */
  let failures = 0;
  /** Connections in a row that were lost after hello, before they were useful. */
  let uselessConnections = 0;
  let usefulConnection: Connection | null = null;
  let cancelPause: () => void = () => undefined;
  let isRunning = false;
  /** Whether a token was refused since the client was last online. */
  let hasForgotten = false;
  let isTrying = false;
  let lostAt = 0;
  let giveUpReason: { readonly error: unknown } | null = null;
  let settleGaveUp: (error: unknown) => void = () => undefined;
  const gaveUp = new Promise<unknown>((resolve) => (settleGaveUp = resolve));

  const isStopped = (): boolean => !isRunning;
  const place = createReach(options, {
    isStopped,
    onOpening: (opened) => (connection = opened),
  });

  function become(next: LinkState): void {
    state = next;
    for (const listener of [...listeners]) listener(next);
  }

  const inTime = <T>(used: Connection, promise: Promise<T>): Promise<T> =>
    expectAnswer(used, promise, { clock, limitMs: timing.greetingMs });

  async function attempt(): Promise<void> {
    if (!isRunning || isTrying) return;
    isTrying = true;
    cancelPause();
    try {
      const { opened, token, key, isOwnServer } = await place.reach();
      if (isStopped() || isPairing()) {
        opened?.close('it is not needed');
        return;
      }
      if (opened === null) return;
      connection = opened;
      if (token !== null) await greet(opened, token);
      else if (key !== null) await pairByKey(opened, key, isOwnServer);
      else askForCode(opened);
    } catch (error) {
      if (isStopped()) return;
      fail(error);
    } finally {
      isTrying = false;
    }
  }

  /** A person has entered a code, which is being exchanged. */
  const isPairing = (): boolean => state.name === 'unpaired' && state.isBusy;

  async function pairByKey(opened: Connection, key: string, isOwnServer: boolean): Promise<void> {
    try {
      const token = await exchange(opened, key);
      await tokens.write?.(token, isOwnServer);
      await greet(opened, token);
    } catch (error) {
      const isRefusal = error instanceof EditError && keyRefusals.includes(error.code);
      if (!isRefusal) throw error;
      askForCode(opened, wireErrorOf(error));
    }
  }

  async function exchange(used: Connection, code: string): Promise<string> {
    const request = { type: 'pair', protocol: protocolVersion, code, name: client.name } as const;
    return (await inTime(used, used.request(request))).token;
  }

  function askForCode(opened: Connection, problem?: WireError): void {
    failures = 0;
    const earlier = state.name === 'unpaired' ? state.problem : null;
    become({ name: 'unpaired', isBusy: false, problem: problem ?? earlier });
    // The server ends connections that say nothing for a while. The next attempt is made when there is a code; or after a
    // pause, where the server may have left a key by then.
    void opened.ended.then(() => {
      // Once it was paired, `greet` sees to its end.
      if (connection !== opened || state.name !== 'unpaired') return;
      connection = null;
      if (isRunning && place.isLookedFor && !isPairing()) pause(timing.longestPauseMs);
    });
  }

  async function greet(opened: Connection, token: string): Promise<void> {
    const hello = { type: 'hello', protocol: protocolVersion, client, token } as const;
    const welcome = await inTime(opened, opened.request(hello));
    server = { version: welcome.server.version, device: welcome.device, models: welcome.models };
    const greetedAt = clock.now();
    watchSilence(opened, { clock, timing, askForLife: options.askForLife });
    for (const listener of [...connectedListeners]) listener(opened);
    hasForgotten = false;
    become({ name: 'online', server });
    waiters.settle(opened);
    void opened.ended.then((error) => {
      if (connection !== opened) return;
      connection = null;
      lostAt = clock.now();
      const isUseful = usefulConnection === opened || lostAt - greetedAt >= timing.longestPauseMs;
      uselessConnections = isUseful ? 0 : uselessConnections + 1;
      // A server that accepts and then closes again and again is not asked without a pause.
      failures = Math.max(0, uselessConnections - 1);
      if (timing.patienceMs === 0) giveUp(error);
      else comeBack();
    });
  }

  function fail(error: unknown): void {
    connection?.close('the attempt failed');
    connection = null;
    const code = error instanceof EditError ? error.code : null;
    if (code === 'not-paired' && tokens.write !== undefined) {
      // The pairing was revoked, or the server has forgotten it.
      void tokens.write(null, false).then(
        () => {
          const mayHaveKey = place.isLookedFor || options.takeKey !== undefined;
          if (mayHaveKey && !hasForgotten) {
            hasForgotten = true;
            void attempt();
          } else become({ name: 'unpaired', isBusy: false, problem: null });
        },
        () => comeBack(),
      );
      return;
    }
    if (isBeyondPatience(code)) {
      giveUp(error);
      return;
    }
    if (error instanceof EditError && code === 'version-mismatch') {
      become({ name: 'mismatch', problem: wireErrorOf(error) });
      pause(timing.longestPauseMs);
      return;
    }
    failures += 1;
    comeBack();
  }

  function isBeyondPatience(code: ErrorCode | null): boolean {
    if (timing.patienceMs === null) return false;
    // A server that has just started may listen before its new token can be read.
    const isAway = code === 'connection-lost' || code === 'not-paired';
    return !isAway || server === null || clock.now() - lostAt >= timing.patienceMs;
  }

  function comeBack(): void {
    if (!isRunning) return;
    become(
      server === null ? { name: 'unreachable', attempts: failures } : { name: 'lost', server, attempts: failures },
    );
    pause(pauseBefore(failures, timing, random));
  }

  function giveUp(error: unknown): void {
    isRunning = false;
    cancelPause();
    giveUpReason = { error };
    waiters.refuse(error);
    settleGaveUp(error);
  }

  function pause(delayMs: number): void {
    cancelPause();
    cancelPause = clock.after(delayMs, () => void attempt());
  }

  return {
    gaveUp,
    get state() {
      return state;
    },
    get address() {
      return place.address;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onConnected(listener) {
      connectedListeners.add(listener);
      return () => void connectedListeners.delete(listener);
    },
    start() {
      if (isRunning) return;
      isRunning = true;
      void attempt();
    },
    async stop() {
      isRunning = false;
      cancelPause();
      place.cancel();
      const last = connection;
      connection = null;
      last?.close('this program ended it');
      await last?.closed;
    },
    retryNow() {
      if (isRunning && (connection === null || connection.isOver)) void attempt();
    },
    async pair(code) {
      become({ name: 'unpaired', isBusy: true, problem: null });
      try {
        cancelPause();
        const used = connection === null || connection.isOver ? await place.open() : connection;
        connection = used;
        await inTime(used, used.opened);
        const token = await exchange(used, code);
        await tokens.write?.(token, false);
        await greet(used, token);
      } catch (error) {
        const isRefusal = error instanceof EditError && error.code !== 'connection-lost';
        if (isRefusal && error.code === 'version-mismatch') fail(error);
        else if (isRefusal) become({ name: 'unpaired', isBusy: false, problem: wireErrorOf(error) });
        else fail(error);
        throw error;
      }
    },
    async forget() {
      await tokens.write?.(null, false);
      server = null;
      const last = connection;
      connection = null;
      last?.close('the pairing was given up');
      void attempt();
    },
    async online(signal) {
      if (connection !== null && !connection.isOver && state.name === 'online') return connection;
      if (giveUpReason !== null) throw giveUpReason.error;
      return waiters.wait(signal);
    },
    progressed(used) {
      usefulConnection = used;
    },
  };
}
