// One companion server, wired: socket -> session -> queue -> engine process.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { Config } from './config.ts';
import { createEditWork } from './edit-work.ts';
import { createEngine } from './engine/supervisor.ts';
import { EditError } from './errors.ts';
import { createApp } from './http/app.ts';
import { attachSocket } from './http/socket.ts';
import { createJobQueue } from './jobs/queue.ts';
import type { Log } from './log.ts';
import { createRunDir } from './run-dir.ts';
import { version } from './version.ts';

/** The only address that the server listens on. */
const listenHost = '127.0.0.1';

export interface ServerDeps {
  readonly config: Config;
  readonly log: Log;
  /** What the engine process runs. */
  readonly engineEntry: URL;
}

export interface RunningServer {
  /** For example `http://127.0.0.1:7860`. */
  readonly url: string;
  /** What a client presents in its hello. New at every start. */
  readonly token: string;
  /** Cancels every job, ends every connection and the engine, removes the working files. */
  close(): Promise<void>;
}

/** Starts a server. Throws EditError 'invalid-request' when its port is taken. */
export async function startServer({
  config,
  log,
  engineEntry,
}: ServerDeps): Promise<RunningServer> {
  const runDir = await createRunDir(config.cacheDir);
  const token = randomBytes(32).toString('hex');
  const engine = createEngine({
    entry: engineEntry,
    onStderr: (text) => log.debug('engine', { text: text.trimEnd() }),
  });
  const { prepare, work, discard } = createEditWork({
    engine,
    jobsDir: runDir.jobsDir,
    cacheDir: config.cacheDir,
  });
  await prepare();
  const queue = createJobQueue({
    work,
    discard,
    onFailure: (jobId, error) => log.warn('A job failed.', { jobId, error: inspect(error) }),
  });
  const http = createServer(createApp({ version, log }));
  const { clipsDir } = runDir;
  const sockets = attachSocket(http, {
    version,
    token,
    models: config.models,
    queue,
    clipsDir,
    log,
  });

  async function close(): Promise<void> {
    http.close();
    await sockets.close();
    http.closeAllConnections();
    await queue.close();
    await engine.close();
    await runDir.remove();
  }

  try {
    http.listen(config.port, listenHost);
    await once(http, 'listening');
  } catch (error) {
    await close();
    throw toListenError(error, config.port);
  }
  const { port } = http.address() as AddressInfo;
  log.info('The server listens.', { port });
  return { url: `http://${listenHost}:${port}`, token, close };
}

function toListenError(error: unknown, port: number): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new EditError('invalid-request', `Port ${port} is already in use.`, {
    hint: 'Another companion server may be running; choose another port with --port.',
    cause: error,
  });
}
