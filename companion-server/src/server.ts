// One companion server, wired: socket -> session -> jobs -> engine process, on a data folder of its own.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Device } from '../../protocol/devices.ts';
import type { MediaFacts } from '../../protocol/media-facts.ts';
import type { Config } from './config.ts';
import { createDoctor } from './doctor/run-checks.ts';
import { createEditWork } from './edit-work.ts';
import { createEngine } from './engine/supervisor.ts';
import { EditError } from './errors.ts';
import { clipTables } from './clips/tables.ts';
import { openClipStore } from './clips/clip-store.ts';
import { createFront } from './http/front.ts';
import { jobMigrations } from './jobs/job-table.ts';
import { openJobs } from './jobs/jobs.ts';
import type { Log } from './log.ts';
import { createPictureReader } from './media/picture-reader.ts';
import { toMediaFacts } from './media/clip-facts.ts';
import { createKnownClips } from './media/known-clips.ts';
import { createPairings } from './pairing/pairings.ts';
import { pairingTables, readSecret } from './pairing/tables.ts';
import { describeModels } from './models/describe-models.ts';
import { lockFile, openDatabase } from './store/database.ts';
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
  /**
   * Stops the running job, which goes on from its last finished step when a server starts on the same data folder; ends
   * the engine and every connection. Asked for again, it is the same end that is waited for.
   */
  close(): Promise<void>;
}

/**
 * Starts a server. Throws EditError 'invalid-request' when its port is taken or another server uses its data folder,
 * 'output-unwritable' when that folder cannot be used.
 */
export async function startServer(deps: ServerDeps): Promise<RunningServer> {
  const { dataDir } = deps.config;
  const unlock = lockFile(
    join(dataDir, 'server.lock'),
    `Another companion server uses the data folder ${dataDir}.`,
    'Stop that one, or give this one another folder with TOKENFLOW_DATA.',
  );
  const closers: Closer[] = [unlock];
  const closeAll = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll());
  try {
    return { ...(await open(deps, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const dayMs = 24 * 60 * 60 * 1000;

type Closer = () => void | Promise<void>;

/** `closers` receives what ends each part, to be called in the opposite order. */
async function open(
  { config, log, engineEntry, probe }: ServerDeps,
  closers: Closer[],
): Promise<Omit<RunningServer, 'close'>> {
  const { dataDir, cacheDir } = config;
  const tables = [pairingTables, clipTables, jobMigrations];
  const database = openDatabase(join(dataDir, 'tokenflow.db'), tables);
  closers.push(() => database.close());
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
  closers.push(() => engine.close());
  const knownClips = createKnownClips();
  const factsOf = async (path: string) => toMediaFacts(await knownClips.infoOf(path));
  const clips = await openClipStore({ database, dataDir, probe: probe ?? factsOf });
  closers.push(() => clips.close());
  const work = createEditWork({
    engine,
    dataDir,
    cacheDir,
    inversionsBudgetBytes: config.inversionsBudgetBytes,
    clipOf: (owner, clipId) => clips.get(owner, clipId),
    clipInfoOf: probe === undefined ? knownClips.infoOf : null,
    modelDirOf: (model) => modelDirOf(config.models, model),
    onStep: (jobId, { stage, step }) => log.debug('A step is finished.', { jobId, stage, step }),
  });
  let device: Device | null = null;
  const jobs = await openJobs({
    database,
    work: {
      ...work,
      async run(record, hooks) {
        const outcome = await work.run(record, hooks);
        ({ device } = outcome.report);
        return outcome;
      },
    },
    onFailure: (jobId, error) => log.warn('A job failed.', { jobId, error: inspect(error) }),
  });
  const removeUnusedClips = (): Promise<void> =>
    clips.removeUnused((owner, clipId) => jobs.needsClip(owner, clipId));
  await removeUnusedClips();
  const daily = setInterval(() => {
    removeUnusedClips().catch((error: unknown) =>
      log.warn('Unused clips could not be removed.', { error: String(error) }),
    );
  }, dayMs);
  closers.push(() => clearInterval(daily));
  let openPort = config.port;
  const models = describeModels(config);
  const front = createFront({
    version,
    pairings,
    pageKey,
    models: () => models,
    device: () => device,
    clips,
    jobs,
    ...createPictureReader({ probe: knownClips.infoOf }),
    diagnose: createDoctor(() => ({
      ...{ version, dataDir, cacheDir, port: openPort, isInServer: true },
      models: config.models,
    })),
    results: jobs,
    linkSecret: readSecret(database, 'links'),
    remote,
    log,
  });
  closers.push(() => front.close());
  // First of all, so that clients hear what becomes of their jobs.
  closers.push(() => jobs.close());
  front.metrics.gauge('tokenflow_jobs', 'Jobs by state.', () => ({
    label: 'state',
    values: jobs.countByState(),
  }));
  const { port, remoteUrl } = await front.open(config.port);
  openPort = port;
  const url = `http://127.0.0.1:${port}`;
  log.info('The server listens.', { port, remoteUrl });
  const pairingCode = pairings.openCode().code;
  return { url, remoteUrl, token, pageUrl: `${url}/server/#${pageKey}`, pairingCode };
}

function modelDirOf(models: ReadonlyMap<string, string>, name: string | null): string {
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
