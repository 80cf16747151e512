// One companion server, wired: socket -> session -> queue -> engine process.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { MediaFacts } from '../../protocol/media-facts.ts';
import type { Config } from './config.ts';
import { createEditWork } from './edit-work.ts';
import { createEngine } from './engine/supervisor.ts';
import { EditError } from './errors.ts';
import { clipTables } from './clips/tables.ts';
import { openClipStore } from './clips/clip-store.ts';
import { createFront } from './http/front.ts';
import { createJobQueue } from './jobs/queue.ts';
import { createQueueJobs } from './jobs/queue-jobs.ts';
import type { Log } from './log.ts';
import { readPicture } from './media/picture.ts';
import { readMediaFacts } from './media/clip-facts.ts';
import { createPairings } from './pairing/pairings.ts';
import { pairingTables, readSecret } from './pairing/tables.ts';
import { describeModels } from './models/describe-models.ts';
import { createRunDir } from './run-dir.ts';
import { openDatabase } from './store/database.ts';
import { version } from './version.ts';

export interface ServerDeps {
  readonly config: Config;
  readonly log: Log;
  /** What the engine process runs. */
  readonly engineEntry: URL;
  /** Looks into a clip that has arrived. Default: ffprobe. */
  readonly probe?: (path: string) => Promise<MediaFacts>;
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
  probe = readMediaFacts,
}: ServerDeps): Promise<RunningServer> {
  const runDir = await createRunDir(config.cacheDir);
  const database = openDatabase(join(config.dataDir, 'tokenflow.db'), [pairingTables, clipTables]);
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
  const clips = await openClipStore({ database, dataDir: config.dataDir, probe });
  const models = describeModels(config);
  const jobs = createQueueJobs(queue, (owner, { clipId, model, device, settings }) => ({
    clipPath: clips.get(owner, clipId).path,
    modelDir: chooseModel(config.models, model),
    device,
    settings,
  }));
  const front = createFront({
    version,
    pairings,
    pageKey,
    models: () => models,
    device: () => null,
    clips,
    jobs,
    readPicture,
    diagnose: notYet,
    results: jobs,
    linkSecret: readSecret(database, 'links'),
    remote,
    log,
  });

  async function close(): Promise<void> {
    await front.close();
    await queue.close();
    await engine.close();
    await clips.close();
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

function notYet(): Promise<never> {
  return Promise.reject(new EditError('invalid-request', 'This server cannot do that.'));
}

function chooseModel(models: ReadonlyMap<string, string>, name: string | null): string {
  const chosen = name ?? models.keys().next().value;
  const modelDir = chosen === undefined ? undefined : models.get(chosen);
  if (modelDir !== undefined) return modelDir;
  const known = models.size === 0 ? 'none' : [...models.keys()].join(', ');
  throw new EditError(
    'model-missing',
    chosen === undefined
      ? 'The server has no model.'
      : `The server has no model named '${chosen}'; it has ${known}.`,
    { hint: 'Start the server with --model DIR, a checkpoint folder in diffusers layout.' },
  );
}
