// One companion server, wired: socket -> session -> jobs -> engine process, on a data folder of its own.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Device } from '../../../protocol/devices.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { Config } from './config.ts';
import { createEdits, openLibrary } from './edits.ts';
import { createDoctor } from '../doctor/run-checks.ts';
import { createEngine } from '../engine/worker/supervisor.ts';
import { isFullDisk } from '../files/disk-error.ts';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { openLocalArtifacts, type LocalArtifactsOptions } from '../artifacts/local-store.ts';
import { openSharedArtifacts } from '../artifacts/open-shared.ts';
import { createClipRecords } from '../clips/clip-records.ts';
import { clipTables } from '../clips/tables.ts';
import { openClipStore } from '../clips/clip-store.ts';
import { createHttpServer } from '../api/http-server.ts';
import { panelPath } from '../api/routes/pairing.ts';
import { joinFarm } from '../farm/farm.ts';
import { openLocalQueue } from '../jobs/local-queue.ts';
import type { JobQueue, OpenJobQueue } from '../jobs/queue.ts';
import { createSqliteJobStore, jobMigrations } from '../jobs/sqlite-store.ts';
import type { Log } from './log.ts';
import { controlPicture } from '../control-pictures/control-picture.ts';
import { writePictureClip } from '../media/encode/picture-clip.ts';
import { createPictureReader } from '../media/decode/picture-reader.ts';
import { toMediaFacts } from '../media/probe/clip-facts.ts';
import { createKnownClips } from '../media/probe/known-clips.ts';
import { probeClip } from '../media/probe/probe.ts';
import { createPlayback, type Playback } from '../playback/playback.ts';
import { createIdentity } from '../pairing/identity.ts';
import { createPairings } from '../pairing/pairings.ts';
import { pairingTables, readSecret, renewSecret } from '../pairing/tables.ts';
import { createModelChanges } from '../models/model-changes.ts';
import { openRelay } from '../relay/relay.ts';
import { createRelayedFiles } from '../relay/relayed-files.ts';
import { readRemoteServer } from '../relay/remote-server.ts';
import { lockFile, openDatabase } from '../store/database.ts';
import { createDiskWatch } from '../store/disk-watch.ts';
import { closeToOthers } from '../store/private-folder.ts';
import { createReserve, type Reserve } from '../store/disk-reserve.ts';
import { createSetAside } from '../store/orphaned-files.ts';
import { readStorage } from '../artifacts/storage.ts';
import { toClientError } from '../wire-error.ts';
import { version } from './version.ts';

export interface ServerDeps {
  readonly config: Config;
  readonly log: Log;
  /** What the engine process runs. */
  readonly engineEntry: URL;
  /** Looks into a clip that has arrived. Default: ffprobe. */
  readonly probe?: (path: string) => Promise<MediaFacts>;
  /** A disk with fewer free bytes is reported as full. Default: 32 MiB. */
  readonly leastFreeBytes?: number;
  /** Where clips and results are kept. Default: in the data folder. */
  readonly openArtifacts?: (options: LocalArtifactsOptions) => Promise<ArtifactStore>;
  /** The queue of jobs. Default: stored in the database of the data folder, and worked off by this process. */
  readonly openQueue?: OpenJobQueue;
}

export interface RunningServer {
  /** For example `http://127.0.0.1:47860`. */
  readonly url: string;
  /** For other machines; null when they cannot reach it. */
  readonly remoteUrl: string | null;
  /** What the command line presents in its hello. New at every start. */
  readonly token: string;
  /** 32 hexadecimal digits: which data folder it works on. */
  readonly instanceId: string;
  /** Proves this server to this user's panels, and pairs them. New at every start. */
  readonly panelKey: string;
  /** The address of the server's page, with the key that shows the pairing code. */
  readonly pageUrl: string;
  /** An address that opens the panel in a browser, paired: good once, for some minutes. */
  openLink(): string;
  /** The code that a panel can be paired with for the next minutes. */
  readonly pairingCode: string;
  /** Settles when the user has asked over HTTP that the server ends. */
  readonly stopRequested: Promise<void>;
  /**
   * Stops the running job, ends the engine and closes every connection. When a server starts on the same data folder, the
   * job continues from its last finished step. A second call waits for the same end.
   */
  close(): Promise<void>;
}

/**
 * Starts a server. Throws EditError 'invalid-request' when its port is taken or another server uses its data folder,
 * 'output-unwritable' when that folder cannot be used, or not be closed to other users of the machine.
 */
export async function startServer(deps: ServerDeps): Promise<RunningServer> {
  const { dataDir } = deps.config;
  const wasOpen = closeToOthers(dataDir);
  const reserve = createReserve(join(dataDir, 'reserve'));
  const unlock = lockFile(
    join(dataDir, 'server.lock'),
    `Another companion server uses the data folder ${dataDir}.`,
    'Stop that one, or give this one another folder with TOKENFLOW_DATA.',
    reserve,
  );
  const closers: Closer[] = [unlock];
  const closeAll = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll());
  try {
    return { ...(await open(deps, { reserve, wasOpen }, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const dayMs = 24 * 60 * 60 * 1000;

type Closer = () => void | Promise<void>;

/** The data folder as it was found. */
interface DataFolder {
  readonly reserve: Reserve;
  /** Whether other users of the machine could read in it. */
  readonly wasOpen: boolean;
}

/** `closers` receives what ends each part, to be called in the opposite order. */
async function open(
  { config, log, engineEntry, probe, leastFreeBytes, ...ports }: ServerDeps,
  { reserve, wasOpen }: DataFolder,
  closers: Closer[],
): Promise<Omit<RunningServer, 'close'>> {
  const { dataDir, cacheDir } = config;
  const tables = [pairingTables, clipTables, jobMigrations];
  const database = openDatabase(join(dataDir, 'tokenflow.db'), tables, reserve);
  closers.push(() => database.close());
  if (wasOpen) {
    renewSecret(database, 'links');
    log.warn('The data folder was open to other users of this machine, and is closed now.');
  }
  const disks = createDiskWatch({
    folders: { data: dataDir, cache: cacheDir },
    onRoom: () => reserve.refill(),
    ...(leastFreeBytes === undefined ? {} : { leastFreeBytes }),
  });
  closers.push(() => disks.close());
  await disks.look();
  // What is small and beside the database, as the address for the command line, finds its place as well.
  if (disks.shortages().length > 0) reserve.giveUp();
  const token = randomBytes(32).toString('hex');
  const pageKey = randomBytes(32).toString('hex');
  const panelKey = randomBytes(32).toString('hex');
  const instanceId = readSecret(database, 'instance').toString('hex').slice(0, 32);
  const farmConfig = config.farm ?? null;
  const farm =
    farmConfig === null
      ? null
      : await joinFarm({
          address: farmConfig.queue,
          doesJobs: farmConfig.doesJobs,
          version,
          instanceId,
          onFailure: (error) => log.warn('The queue of jobs cannot be reached.', { error: String(error) }),
        });
  closers.push(() => farm?.close());
  const openOwnQueue: OpenJobQueue = (options) => openLocalQueue({ ...options, store: createSqliteJobStore(database) });
  const openQueue = ports.openQueue ?? farm?.openQueue ?? openOwnQueue;
  /** Where files of clips and jobs are on this machine. */
  const filesDir = farmConfig === null ? dataDir : join(dataDir, 'mirror');
  const openArtifacts =
    ports.openArtifacts ??
    (farmConfig === null
      ? openLocalArtifacts
      : () =>
          openSharedArtifacts(farmConfig.store, {
            mirrorDir: filesDir,
            onUnmoved: (id, error) =>
              log.warn('What the database does not know could not be set aside.', { id, error: String(error) }),
          }));
  const remote = config.remote ?? null;
  const pairings = createPairings(database, {
    localToken: token,
    remoteToken: remote?.token ?? undefined,
    panelKey,
    log,
  });
  const engine = createEngine({
    entry: engineEntry,
    onStderr: (text) => log.debug('engine', { text: text.trimEnd() }),
  });
  closers.push(() => engine.close());
  const knownClips = createKnownClips(
    probeClip,
    createClipRecords({
      database,
      dataDir: filesDir,
      onFailure: (error) => log.warn('What was found in a clip could not be kept.', { error: String(error) }),
    }),
  );
  const factsOf = async (path: string) => toMediaFacts(await knownClips.infoOf(path));
  const setAside = createSetAside({
    dataDir,
    onMoved: (from, to) => log.warn('What the database does not know was set aside.', { from, to }),
    onFailure: (from, error) =>
      log.warn('What the database does not know could not be set aside.', {
        from,
        error: String(error),
      }),
  });
  const artifacts = await openArtifacts({ dataDir, setAside });
  const late: { playback?: Playback; jobs?: JobQueue } = {};
  const clips = await openClipStore({
    database,
    artifacts,
    dataDir,
    probe: probe ?? factsOf,
    fromPicture: writePictureClip,
    setAside,
    // What shows the clip goes with it.
    onRemoved: (owner, clipId) => late.playback?.forgetClip(owner, clipId) ?? Promise.resolve(),
    onUnwritten: (error) => log.warn('A note about a clip could not be written.', { error: String(error) }),
  });
  closers.push(() => clips.close());
  const library = openLibrary(config, log);
  closers.push(() => library.close());
  const modelChanges = createModelChanges({
    modelsDir: config.library?.modelsDir ?? null,
    library,
    unfinishedEdits: async () => (await late.jobs?.unfinished())?.map(({ request }) => request) ?? [],
    source: config.library?.downloads ?? null,
    toClientError,
    onFault: (error) => log.warn('A change of the models failed.', { error: inspect(error) }),
  });
  closers.push(() => modelChanges.close());
  const edits = createEdits({
    config,
    log,
    engine,
    artifacts,
    library,
    clipOf: (owner, clipId) => clips.get(owner, clipId),
    uploadOf: (owner, sha256) => clips.withHash(owner, sha256),
    clipInfoOf: probe === undefined ? knownClips.infoOf : null,
    onDiscard: (jobId) => late.playback?.forgetJob(jobId) ?? Promise.resolve(),
  });
  let device: Device | null = null;
  const jobs = await openQueue({
    executor: {
      ...edits,
      async run(job, hooks) {
        const outcome = await edits.run(job, hooks);
        ({ device } = outcome.report);
        return outcome;
      },
      async tidy(jobId) {
        await edits.tidy(jobId);
        void late.playback?.prepare(jobId);
      },
    },
    onFailure(jobId, error) {
      log.warn('A job failed.', { jobId, error: inspect(error) });
      if (isFullDisk(error)) void disks.look();
    },
  });
  late.jobs = jobs;
  const defaultModel = (): string | null => config.models.keys().next().value ?? null;
  const made = createPlayback({
    jobs,
    clips,
    artifacts,
    infoOf: knownClips.infoOf,
    onUnmade: (jobId, error) => log.warn('The videos of a result could not be made.', { jobId, error: String(error) }),
  });
  late.playback = made;
  const removeUnusedClips = (): Promise<void> => clips.removeUnused((owner, clipId) => jobs.needsClip(owner, clipId));
  await removeUnusedClips();
  const daily = setInterval(() => {
    removeUnusedClips().catch((error: unknown) =>
      log.warn('Unused clips could not be removed.', { error: String(error) }),
    );
  }, dayMs);
  closers.push(() => clearInterval(daily));
  let openPort = config.ports[0] ?? 0;
  let requestStop = (): void => undefined;
  const stopRequested = new Promise<void>((resolve) => (requestStop = resolve));
  const relayedFiles = createRelayedFiles(() => readRemoteServer(dataDir));
  const pictures = createPictureReader({ probe: knownClips.infoOf });
  const http = createHttpServer({
    version,
    identity: createIdentity(instanceId, panelKey),
    pairings,
    pageKey,
    models: () => library.usableModels(),
    storage: () => readStorage(filesDir, cacheDir),
    lookForModels: async () => {
      await library.refresh();
      return { ...library.lists(), offers: modelChanges.offers(), freeBytes: await modelChanges.freeBytes() };
    },
    modelChanges,
    device: () => device,
    clips,
    jobs: farm === null ? jobs : namingModels(jobs, defaultModel),
    members: farm === null ? null : () => farm.members(),
    artifacts,
    checkEdit: (owner, spec) => edits.check(owner, spec),
    estimateEdit: async (owner, spec, signal) => edits.estimate(owner, spec, await jobs.lastReport(spec.model), signal),
    disks,
    playback: made,
    ...pictures,
    readControlPicture: (kind, path, frameIndex, maxSide) =>
      pictures.readPicture(path, frameIndex, maxSide, { draw: (frame) => controlPicture(kind, frame) }),
    diagnose: createDoctor(() => ({
      version,
      dataDir,
      cacheDir,
      ports: [openPort],
      isInServer: true,
      models: config.models,
    })),
    linkSecret: readSecret(database, 'links'),
    async openRelay(clientId, program, peer) {
      const other = await readRemoteServer(dataDir);
      if (other === null) return null;
      const noteLink = (link: string): void => relayedFiles.noteLink(clientId, other.url, link);
      return openRelay(other, program, {
        send: (message) => peer.send(message),
        sendChunk: (chunk) => peer.sendChunk(chunk),
        close: (reason) => peer.close(reason),
        noteLink,
      });
    },
    relayedFiles,
    remote,
    log,
    defaultModel,
    stop: () => requestStop(),
  });
  closers.push(() => http.close());
  // This comes first, so that clients get the last events of their jobs.
  closers.push(() => jobs.close());
  // A request that waits for a video does not delay the end.
  closers.push(() => made.close());
  http.metrics.gauge('tokenflow_jobs', 'Jobs by state.', async () => ({
    label: 'state',
    values: await jobs.countByState(),
  }));
  const { port, remoteUrl } = await http.open(config.ports);
  openPort = port;
  const url = `http://127.0.0.1:${port}`;
  log.info('The server listens.', { port, remoteUrl });
  const pairingCode = pairings.openCode().code;
  const openLink = (): string => `${url}${panelPath(pairings.openLink().key)}`;
  return {
    url,
    remoteUrl,
    token,
    instanceId,
    panelKey,
    openLink,
    pageUrl: `${url}/server/#${pageKey}`,
    pairingCode,
    stopRequested,
  };
}

/** The queue, whose jobs name their model: the first of another machine may be another one. */
function namingModels(jobs: JobQueue, defaultModel: () => string | null): JobQueue {
  return {
    ...jobs,
    add: (owner, request) => jobs.add(owner, { ...request, model: request.model ?? defaultModel() }),
  };
}
