// One companion server, wired: socket -> session -> queue -> engine process.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Config } from './config.ts';
import { createEditWork } from './edit-work.ts';
import { createEngine } from './engine/supervisor.ts';
import { EditError } from './errors.ts';
import { createFront } from './http/front.ts';
import { createJobQueue } from './jobs/queue.ts';
import type { Log } from './log.ts';
import { createPairings } from './pairing/pairings.ts';
import { pairingTables, readSecret } from './pairing/tables.ts';
import { createRunDir } from './run-dir.ts';
import { openDatabase } from './store/database.ts';
import { version } from './version.ts';

export interface ServerDeps {
  readonly config: Config;
  readonly log: Log;
  /** What the engine process runs. */
  readonly engineEntry: URL;
}

export interface RunningServer {
  /** For example `http://127.0.0.1:7860`. */
  readonly url: string;
  /** For other machines; null when they cannot reach it. */
  readonly remoteUrl: string | null;
  /** What the command line presents in its hello. New at every start. */
  readonly token: string;
  /** The address of the server's page, with the key that shows the pairing code. */
  readonly pageUrl: string;
  /** The code that a panel can be paired with for the next minutes. */
  readonly pairingCode: string;
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
  const database = openDatabase(join(config.dataDir, 'tokenflow.db'), [pairingTables]);
  const token = randomBytes(32).toString('hex');
  const pageKey = randomBytes(32).toString('hex');
  const remote = config.remote ?? null;
  const pairings = createPairings(database, {
    localToken: token,
    remoteToken: remote?.token,
    log,
  });
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
  const front = createFront({
    version,
    pairings,
    pageKey,
    models: config.models,
    queue,
    clipsDir: runDir.clipsDir,
    results: {
      result(_owner, jobId) {
        throw new EditError('job-missing', `There is no result of job ${jobId}.`);
      },
    },
    linkSecret: readSecret(database, 'links'),
    remote,
    log,
  });

  async function close(): Promise<void> {
    await front.close();
    await queue.close();
    await engine.close();
    await runDir.remove();
    database.close();
  }

  try {
    const { port, remoteUrl } = await front.open(config.port);
    const url = `http://127.0.0.1:${port}`;
    log.info('The server listens.', { port, remoteUrl });
    const pairingCode = pairings.openCode().code;
    return { url, remoteUrl, token, pageUrl: `${url}/#${pageKey}`, pairingCode, close };
  } catch (error) {
    await close();
    throw error;
  }
}
