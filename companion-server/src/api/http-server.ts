// The HTTP server with its routes, pages and socket, on all its listeners.

import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Pairings } from '../pairing/pairings.ts';
import type { RelayedFiles } from '../relay/relayed-files.ts';
import type { RemoteAccess } from '../remote-access.ts';
import { createAdmission } from './admission.ts';
import { createApp } from './app.ts';
import { listen, type Listeners } from './listeners.ts';
import { createMetrics, measureProcess, type Metrics } from './prometheus.ts';
import { jobRoutes } from './routes/jobs.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { pairingRoutes } from './routes/pairing.ts';
import { playbackRoutes } from './routes/playback.ts';
import { resultRoutes } from './routes/results.ts';
import { serverRoutes } from './routes/server.ts';
import { stateRoutes } from './routes/state.ts';
import { workerRoutes, type WorkerRouteDeps } from './routes/workers.ts';
import type { SessionDeps } from './session/session.ts';
import { attachSocket } from './session/socket.ts';

/** The server's own page. */
const ownPageDir = fileURLToPath(new URL('../../web', import.meta.url));
/** The panel in a form that a browser can show, where it has been built. */
const panelDir = fileURLToPath(new URL('../../../plugin/dist/web', import.meta.url));

/** A request that is not complete by then is ended: its client sends too slowly. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 20_000;
const keepAliveTimeoutMs = 5_000;
const maxHeaderBytes = 8 * 1024;

export interface HttpServerDeps extends Omit<SessionDeps, 'jobs'>, Pick<WorkerRouteDeps, 'members'> {
  readonly jobs: SessionDeps['jobs'] & WorkerRouteDeps['jobs'];
  readonly pairings: Pairings;
  /** The end of the address of the server's page: only a page opened at this address shows the pairing code. */
  readonly pageKey: string;
  readonly remote: RemoteAccess | null;
  /** Files of another machine that does the work. */
  readonly relayedFiles: RelayedFiles;
  readonly defaultModel: () => string | null;
  /** Ends the server, because its user asks for it. */
  readonly stop: () => void;
}

export interface HttpServer {
  /** For more numbers than those of the HTTP server. */
  readonly metrics: Metrics;
  /** Starts to accept clients. Throws EditError 'invalid-request' when all of `ports` are taken. */
  open(ports: readonly number[]): Promise<Listeners>;
  /** Ends every connection and waits until nothing of them is left. */
  close(): Promise<void>;
}

export function createHttpServer(deps: HttpServerDeps): HttpServer {
  const { version, log, pairings, pageKey, linkSecret, relayedFiles, remote } = deps;
  const isPaired = (clientId: string): boolean => pairings.isPaired(clientId);
  const metrics = createMetrics();
  const admission = createAdmission();
  const stopMeasuring = measureProcess(metrics);
  metrics.gauge('tokenflow_pairings', 'Paired clients.', () => pairings.list().length);
  metrics.gauge('tokenflow_unauthenticated', 'Connections without a token.', () => admission.unauthenticated());
  const guardOptions = remote === null ? {} : { isServedName: remote.isServedName };
  const app = createApp({
    ...guardOptions,
    routes: [
      ...stateRoutes(version, deps.identity),
      ...serverRoutes(deps),
      ...pairingRoutes(pairings),
      ...resultRoutes({ jobs: deps.jobs, artifacts: deps.artifacts, linkSecret, isPaired, relayedFiles }),
      ...playbackRoutes({ playback: deps.playback, linkSecret, isPaired, relayedFiles }),
      ...jobRoutes(deps.jobs, () => pairings.owners(), deps.members ?? undefined),
      ...workerRoutes(deps),
      ...metricsRoutes(metrics),
    ],
    pages: { '/server': ownPageDir, '/': existsSync(panelDir) ? panelDir : ownPageDir },
    pairings,
    pageKey,
    metrics,
    log,
    trust: (connection) => admission.trust(connection),
  });
  const http = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: maxHeaderBytes,
    },
    app,
  );
  http.on('connection', (connection) => admission.admit(connection));
  const sockets = attachSocket(http, { ...deps, ...guardOptions, admission, metrics });
  let listeners: Listeners | undefined;

  return {
    metrics,
    async open(ports) {
      listeners = await listen(http, { ports, remote, log });
      return listeners;
    },
    async close() {
      listeners?.close();
      await sockets.close();
      http.closeAllConnections();
      stopMeasuring();
    },
  };
}
