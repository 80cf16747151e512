// Keeps a connection: pairs, greets, listens for silence, and comes back after every end with growing pauses. It has one
// state for people (link-state.ts) and one promise for programs: `online()`.

import type { WireError } from '../../../protocol/wire-error.ts';
import { protocolVersion } from '../../../protocol/version.ts';
import type { Clock } from './clock.ts';
import { openConnection, type Connection } from './connection.ts';
import type { LinkState, ServerFacts } from './link-state.ts';
import { ClientError } from './problem.ts';
import { orStopped, type StopSignal } from './signal.ts';
import type { OpenSocket } from './socket.ts';

/** Where the token of the pairing is kept. */
export interface TokenStore {
  read(): Promise<string | null>;
  write(token: string | null): Promise<void>;
}

export interface SessionOptions {
  /** For example `ws://127.0.0.1:7860/socket`. */
  readonly url: string;
  readonly client: { readonly name: string; readonly version: string };
  readonly tokens: TokenStore;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  /** 0..1, to spread attempts. */
  readonly random: () => number;
  /** Asks something that costs the server little, when it has been silent. */
  readonly askForLife: (connection: Connection) => Promise<unknown>;
}

export interface Session {
  readonly state: LinkState;
  subscribe(listener: (state: LinkState) => void): () => void;
  /** Called with every connection that has been greeted, before anything else uses it. */
  onConnected(listener: (connection: Connection) => void): () => void;
  start(): void;
  stop(): void;
  /** Tries at once instead of at the end of the pause. */
  retryNow(): void;
  /** Exchanges a code for a token. Rejected with ClientError when it is refused; the state says so too. */
  pair(code: string): Promise<void>;
  /** Forgets the token and asks for a code. */
  forget(): Promise<void>;
  /** The greeted connection, as soon as there is one. */
  online(signal?: StopSignal): Promise<Connection>;
}

const firstPauseMs = 1_000;
const longestPauseMs = 15_000;
/** How long an opening or a greeting may take. */
const greetingMs = 10_000;
/** After so long a silence the server is asked for a sign of life. */
const silenceMs = 15_000;
/** How long it has for that. */
const lifeSignMs = 10_000;

export function createSession(options: SessionOptions): Session {
  const { clock, tokens, openSocket, url, client } = options;
  const listeners = new Set<(state: LinkState) => void>();
  const connectedListeners = new Set<(connection: Connection) => void>();
  const waitingForOnline = new Set<(connection: Connection) => void>();
  let state: LinkState = { name: 'connecting' };
  let connection: Connection | null = null;
  let server: ServerFacts | null = null;
  let failures = 0;
  let cancelPause: () => void = () => undefined;
  let isRunning = false;
  let isTrying = false;

  function become(next: LinkState): void {
    state = next;
    for (const listener of [...listeners]) listener(next);
  }

  /** Rejected with ClientError 'connection-lost' after `limitMs`; the connection is closed then. */
  async function inTime<T>(open: Connection, promise: Promise<T>, limitMs: number): Promise<T> {
    const cancel = clock.after(limitMs, () => open.close('the server did not answer in time'));
    try {
      return await promise;
    } finally {
      cancel();
    }
  }

  async function attempt(): Promise<void> {
    if (!isRunning || isTrying) return;
    isTrying = true;
    cancelPause();
    try {
      const token = await tokens.read();
      const open = openConnection(url, openSocket, () => clock.now());
      connection = open;
      await inTime(open, open.opened, greetingMs);
      if (token === null) {
        askForCode(open, null);
      } else {
        await greet(open, token);
      }
    } catch (error) {
      fail(error);
    } finally {
      isTrying = false;
    }
  }

  function askForCode(open: Connection, problem: WireError | null): void {
    failures = 0;
    become({ name: 'unpaired', isBusy: false, problem });
    // The server ends connections that say nothing for a while; the next attempt is made when there is a code.
    void open.ended.then(() => {
      if (connection === open) connection = null;
    });
  }

  async function greet(open: Connection, token: string): Promise<void> {
    const hello = { type: 'hello', protocol: protocolVersion, client, token } as const;
    const welcome = await inTime(open, open.request<'hello'>(hello), greetingMs);
    server = { version: welcome.server.version, device: welcome.device, models: welcome.models };
    failures = 0;
    watch(open);
    for (const listener of [...connectedListeners]) listener(open);
    become({ name: 'online', server });
    for (const settle of [...waitingForOnline]) settle(open);
    waitingForOnline.clear();
    void open.ended.then(() => {
      if (connection !== open) return;
      connection = null;
      failures = 0;
      comeBack();
    });
  }

  function fail(error: unknown): void {
    connection?.close('the attempt failed');
    connection = null;
    if (error instanceof ClientError && error.code === 'not-paired') {
      // The pairing was revoked, or the server has forgotten it.
      void tokens.write(null).then(
        () => become({ name: 'unpaired', isBusy: false, problem: null }),
        () => comeBack(),
      );
      return;
    }
    if (error instanceof ClientError && error.code === 'version-mismatch') {
      become({ name: 'mismatch', problem: toWire(error) });
      pause(longestPauseMs);
      return;
    }
    failures += 1;
    comeBack();
  }

  function comeBack(): void {
    if (!isRunning) return;
    become(
      server === null ? { name: 'unreachable', attempts: failures } : { name: 'lost', server, attempts: failures },
    );
    const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, failures - 1));
    pause(failures === 0 ? firstPauseMs : longest * (0.75 + 0.25 * options.random()));
  }

  function pause(delayMs: number): void {
    cancelPause();
    cancelPause = clock.after(delayMs, () => void attempt());
  }

  /** A socket that nobody has closed may still be dead: the machine slept, the server hangs. */
  function watch(open: Connection): void {
    let cancel = clock.after(silenceMs, check);
    void open.ended.then(() => cancel());
    function check(): void {
      if (open.isOver) return;
      const silentMs = clock.now() - open.heardAt;
      if (silentMs < silenceMs) {
        cancel = clock.after(silenceMs - silentMs, check);
        return;
      }
      inTime(open, options.askForLife(open), lifeSignMs)
        // A refusal is a sign of life as well; a connection that has ended looks after itself.
        .catch(() => undefined)
        .finally(() => {
          if (!open.isOver) cancel = clock.after(silenceMs, check);
        });
    }
  }

  return {
    get state() {
      return state;
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
    stop() {
      isRunning = false;
      cancelPause();
      connection?.close('the panel ended it');
      connection = null;
    },
    retryNow() {
      if (isRunning && (connection === null || connection.isOver)) void attempt();
    },
    async pair(code) {
      become({ name: 'unpaired', isBusy: true, problem: null });
      try {
        const open =
          connection === null || connection.isOver ? openConnection(url, openSocket, () => clock.now()) : connection;
        connection = open;
        await inTime(open, open.opened, greetingMs);
        const { token } = await inTime(
          open,
          open.request<'pair'>({
            type: 'pair',
            protocol: protocolVersion,
            code,
            name: client.name,
          }),
          greetingMs,
        );
        await tokens.write(token);
        await greet(open, token);
      } catch (error) {
        const isRefusal = error instanceof ClientError && error.code !== 'connection-lost';
        if (isRefusal && error.code === 'version-mismatch') fail(error);
        else if (isRefusal) become({ name: 'unpaired', isBusy: false, problem: toWire(error) });
        else fail(error);
        throw error;
      }
    },
    async forget() {
      await tokens.write(null);
      server = null;
      const open = connection;
      connection = null;
      open?.close('the pairing was given up');
      void attempt();
    },
    async online(signal) {
      if (connection !== null && !connection.isOver && state.name === 'online') return connection;
      let settle: (connection: Connection) => void = () => undefined;
      const soon = new Promise<Connection>((resolve) => (settle = resolve));
      waitingForOnline.add(settle);
      try {
        return await orStopped(soon, signal);
      } finally {
        waitingForOnline.delete(settle);
      }
    },
  };
}

function toWire({ code, message, hint }: ClientError): WireError {
  return { code, message, ...(hint === null ? {} : { hint }) };
}
