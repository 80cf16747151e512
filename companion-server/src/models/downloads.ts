// Downloads of models that a server makes for its clients: one runs, others wait. They outlive every connection, and the
// server: the next start goes on with what was not paused.

import { listLimits } from '../../../protocol/limits.ts';
import type { Licence } from '../../../protocol/messages/model-messages.ts';
import type { WireError } from '../../../protocol/messages/wire-error.ts';
import {
  offerKinds,
  type DownloadState,
  type ModelDownload,
  type ModelOffer,
  type OfferKind,
} from '../../../protocol/model-offers.ts';
import { createTurns } from '../../../protocol/turns.ts';
import { CanceledError, EditError } from '../errors.ts';
import type { CatalogModel, HubSource } from './catalog-file.ts';
import { removeModel } from './change-models.ts';
import { readKeptDownloads, writeKeptDownloads } from './download-queue-file.ts';
import type { Hub } from './hub/hub-address.ts';
import { licenceOf } from './licence-texts.ts';
import { listModels } from './list-models.ts';
import { pullModel, type PullOptions } from './pull.ts';
import { createRateMeter } from './rate-meter.ts';
import { listStaged, stagedBytes } from './models-folder.ts';

export interface DownloadsOptions {
  readonly catalog: readonly CatalogModel[];
  /** Where models come from. Throws EditError for settings that are wrong. */
  readonly hub: () => Hub;
  readonly modelsDir: string;
  /** A model has come. Awaited before the download leaves the list. */
  readonly onPulled: (id: string) => Promise<void>;
  /** An error as clients are told it. */
  readonly toClientError: (error: unknown) => WireError;
  /** What cannot be told to any client, for the log. */
  readonly onFault: (error: unknown) => void;
  /** Milliseconds. */
  readonly now?: () => number;
  readonly pull?: Partial<Pick<PullOptions, 'freeBytesAt' | 'idleMs' | 'wait'>>;
}

export interface Downloads {
  list(): readonly ModelDownload[];
  /** Called with the list after a change, and no more than twice a second while one runs. */
  subscribe(listener: (downloads: readonly ModelDownload[]) => void): () => void;
  /** What can be downloaded, and whether it is here. */
  offers(): readonly ModelOffer[];
  /** Throws EditError 'model-missing' for a model that is not offered. */
  licence(id: string): Licence;
  /**
   * Begins or continues a download.
   * @param acceptedLicence hash of the licence that was accepted, or null where it was accepted before
   * Throws EditError 'model-missing', 'licence-not-accepted', 'limit-reached', 'disk-full', 'output-unwritable'.
   */
  start(id: string, acceptedLicence: string | null): Promise<void>;
  /** Keeps what has come. Throws EditError 'model-missing' for what is not downloaded. */
  pause(id: string): Promise<void>;
  /** Deletes what has come. Throws EditError 'model-missing' for what is not downloaded. */
  cancel(id: string): Promise<void>;
  /** Stops the running download, and keeps what has come. */
  close(): Promise<void>;
}

/** Listeners are told of progress no more often. */
const tellMs = 500;

type Offered = CatalogModel & { readonly kind: OfferKind; readonly hub: HubSource };

interface Entry {
  readonly model: Offered;
  readonly acceptedLicence: string;
  state: DownloadState;
  doneBytes: number;
  totalBytes: number;
  bytesPerSecond: number | null;
  error: WireError | null;
}

interface Run {
  readonly entry: Entry;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Goes on at once with the downloads that an earlier server has not finished. */
export function createDownloads(options: DownloadsOptions): Downloads {
  const { catalog, modelsDir, onFault, toClientError, now = () => performance.now() } = options;
  const listeners = new Set<(downloads: readonly ModelDownload[]) => void>();
  const entries = new Map<string, Entry>();
  /** Changes of the list are made one after the other. */
  const turns = createTurns();
  let run: Run | null = null;
  let isClosed = false;
  let toldAtMs = -Infinity;

  for (const { id, acceptedLicence, isPaused } of readKeptDownloads(modelsDir, onFault)) {
    const model = findOffered(id);
    if (model !== undefined) entries.set(id, newEntry(model, acceptedLicence, isPaused ? 'paused' : 'waiting'));
  }
  next();

  function findOffered(id: string): Offered | undefined {
    return catalog.filter(isOffered).find((model) => model.id === id);
  }

  function requireOffered(id: string): Offered {
    const model = findOffered(id);
    if (model !== undefined) return model;
    throw new EditError('model-missing', `There is no model '${id}' to download.`, {
      hint: 'Open the list of models again.',
    });
  }

  function requireEntry(id: string): Entry {
    const entry = entries.get(id);
    if (entry !== undefined) return entry;
    throw new EditError('model-missing', `The model '${id}' is not being downloaded.`, {
      hint: 'Open the list of models again.',
    });
  }

  function newEntry(model: Offered, acceptedLicence: string, state: DownloadState): Entry {
    return {
      model,
      acceptedLicence,
      state,
      doneBytes: stagedBytes(modelsDir, model.id),
      totalBytes: bytesOf(model),
      bytesPerSecond: null,
      error: null,
    };
  }

  function tell(): void {
    toldAtMs = now();
    const downloads = list();
    for (const listener of [...listeners]) listener(downloads);
  }

  function list(): readonly ModelDownload[] {
    return [...entries.values()].map(({ model, state, doneBytes, totalBytes, bytesPerSecond, error }) => ({
      id: model.id,
      title: model.title,
      state,
      doneBytes,
      totalBytes,
      bytesPerSecond: bytesPerSecond === null ? null : Math.max(0, Math.round(bytesPerSecond)),
      error,
    }));
  }

  async function keep(): Promise<void> {
    const kept = [...entries.values()].map(({ model, acceptedLicence, state }) => {
      // One that has failed is not tried again without its user.
      return { id: model.id, acceptedLicence, isPaused: state === 'paused' || state === 'failed' };
    });
    await writeKeptDownloads(modelsDir, kept);
  }

  /** Starts the first that waits, unless one runs. */
  function next(): void {
    const entry = [...entries.values()].find(({ state }) => state === 'waiting');
    if (isClosed || run !== null || entry === undefined) return;
    entry.state = 'running';
    const stop = new AbortController();
    const started: Run = { entry, stop, ended: work(entry, stop.signal) };
    run = started;
    void started.ended.then(() => {
      if (run === started) run = null;
      next();
    });
    tell();
  }

  async function work(entry: Entry, signal: AbortSignal): Promise<void> {
    const meter = createRateMeter();
    try {
      await pullModel({
        ...options.pull,
        model: entry.model,
        hub: options.hub(),
        modelsDir,
        signal,
        onRetry({ error }) {
          entry.error = toClientError(error);
          tell();
        },
        onProgress({ doneBytes, totalBytes }) {
          const atMs = now();
          Object.assign(entry, { doneBytes, totalBytes, bytesPerSecond: meter(doneBytes, atMs), error: null });
          if (atMs - toldAtMs >= tellMs) tell();
        },
      });
      await options.onPulled(entry.model.id);
      entries.delete(entry.model.id);
    } catch (error) {
      entry.bytesPerSecond = null;
      // Who stopped it has said what it is from now on.
      if (!signal.aborted) {
        entry.state = 'failed';
        entry.error = toClientError(error);
        if (error instanceof CanceledError) onFault(error);
      }
    }
    await keep().catch(onFault);
    tell();
  }

  /** Ends the run of this download; the state is set first, so that nothing starts it again. */
  async function stopRun(entry: Entry, state: DownloadState): Promise<void> {
    const isRunning = run?.entry === entry;
    entry.state = state;
    entry.bytesPerSecond = null;
    entry.error = null;
    if (!isRunning) return;
    run?.stop.abort();
    await run?.ended;
  }

  return {
    list,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    offers() {
      const listed = new Map(listModels(modelsDir, catalog).map(({ id, state }) => [id, state]));
      return catalog.filter(isOffered).map((model): ModelOffer => {
        const { id, title, kind, family, goodFor, licence } = model;
        const found = listed.get(id);
        const state = found === 'begun' || found === 'available' ? found : 'here';
        const sizeBytes = bytesOf(model);
        return { id, title, kind, family, goodFor, licenceName: licence.name, sizeBytes, state };
      });
    },
    licence: (id) => licenceOf(requireOffered(id)),
    start: (id, acceptedLicence) =>
      turns.take(async () => {
        const model = requireOffered(id);
        const before = entries.get(id);
        const accepted = acceptedLicence ?? before?.acceptedLicence ?? null;
        const { sha256, name } = licenceOf(model);
        if (accepted !== sha256) {
          throw new EditError('licence-not-accepted', `The licence ${name} of ${model.title} has not been accepted.`, {
            hint: 'Read it and accept it, then download.',
          });
        }
        if (before?.state === 'running' || before?.state === 'waiting') return;
        if (before === undefined && entries.size >= listLimits.downloads) {
          throw new EditError('limit-reached', `At most ${listLimits.downloads} downloads can wait.`, {
            hint: 'Cancel one of them.',
          });
        }
        // At the end of those that wait.
        entries.delete(id);
        entries.set(id, newEntry(model, accepted, 'waiting'));
        await keep();
        next();
        tell();
      }),
    pause: (id) =>
      turns.take(async () => {
        await stopRun(requireEntry(id), 'paused');
        await keep();
        tell();
      }),
    cancel: (id) =>
      turns.take(async () => {
        await stopRun(requireEntry(id), 'paused');
        entries.delete(id);
        await keep();
        if (listStaged(modelsDir).includes(id)) await removeModel(modelsDir, id);
        tell();
      }),
    async close() {
      isClosed = true;
      await turns.over();
      run?.stop.abort();
      await run?.ended;
    },
  };
}

function isOffered(model: CatalogModel): model is Offered {
  return model.hub !== null && (offerKinds as readonly string[]).includes(model.kind);
}

/** Exactly where the catalogue knows every file, else about. */
function bytesOf({ hub }: { readonly hub: HubSource }): number {
  const sizes = hub.files.map(({ sizeBytes }) => sizeBytes);
  const isKnown = sizes.every((size) => size !== null);
  return isKnown ? sizes.reduce((sum, size) => sum + size, 0) : Math.round(hub.downloadGigabytes * 1e9);
}
