// Where the server keeps its files, and its settings: flags, then environment, then defaults.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { companionPorts } from '../../../protocol/ports.ts';
import { EditError } from '../errors.ts';
import type { FarmConfig } from './farm-config.ts';
import { logLevels, type LogLevel } from './log.ts';
import { readCatalog } from '../models/catalog.ts';
import type { CatalogModel } from '../models/catalog-file.ts';
import { chooseModels } from '../models/choose-models.ts';
import { readHub, type Hub } from '../models/hub/hub-address.ts';
import type { Machine } from '../models/library/found.ts';
import { modelsDirOf } from '../models/installed-models.ts';
import type { ModelReading } from '../models/readings.ts';
import { readRemoteAccess, type RemoteAccess, type RemoteAccessFlags } from '../remote-access.ts';

export interface Config {
  /** TCP ports on 127.0.0.1, tried in this order; 0 lets the system choose. */
  readonly ports: readonly number[];
  /** Absolute path of the folder of files that can be made again: copies of weights, files of private servers. */
  readonly cacheDir: string;
  /** Absolute path of the folder of files that must be kept: the database, clips, jobs with their results. */
  readonly dataDir: string;
  /** Checkpoint folders by name, the default first: chosen, embedded, pulled and added ones. */
  readonly models: ReadonlyMap<string, string>;
  /** How models are read, by name, before what was said when they were added. Default: nothing is said. */
  readonly readings?: ReadonlyMap<string, ModelReading>;
  /** Where more models are looked for while the server runs. Default: nowhere. */
  readonly library?: LibraryConfig | null;
  readonly logLevel: LogLevel;
  /** Absolute paths of LoRA by the names that edits use. Default: none. */
  readonly loras?: ReadonlyMap<string, string>;
  /** Absolute paths of VAEs by the names that edits use, beside those of the machine. Default: none. */
  readonly vaes?: ReadonlyMap<string, string>;
  /** Absolute paths of ControlNets by the names that edits use, beside those of the machine. Default: none. */
  readonly controlNets?: ReadonlyMap<string, string>;
  /** Absolute paths of embeddings by their word of the prompt. Default: none. */
  readonly embeddings?: ReadonlyMap<string, string>;
  /** Absolute path; inverted clips are kept there. Default: `inversions` in `dataDir`. */
  readonly inversionsDir?: string;
  /** Most bytes of inverted clips that are kept. Default: 10 GB, or half of what the disk has left if that is less. */
  readonly inversionsBudgetBytes?: number | null;
  /** The machines that share jobs and files with this one. Default: none. */
  readonly farm?: FarmConfig | null;
  /** How other machines may reach the server. Default: not at all. */
  readonly remote?: RemoteAccess | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface LibraryConfig {
  readonly modelsDir: string;
  /** Whose programs' models are found; null for none. */
  readonly machine: Machine | null;
  /** Whether the server looks when it starts, or only when somebody asks. */
  readonly looksAtStart: boolean;
  /** What can be downloaded, and from where; null where the server does not download. */
  readonly downloads: DownloadsConfig | null;
}

export interface DownloadsConfig {
  readonly catalog: readonly CatalogModel[];
  /** Throws EditError 'invalid-request' for a wrong HF_ENDPOINT or HF_TOKEN. */
  readonly hub: () => Hub;
}

export interface ConfigFlags extends RemoteAccessFlags {
  readonly port?: number | undefined;
  /** A model's name, or a checkpoint folder. */
  readonly modelDir?: string | undefined;
  /** How that model is read; as it says itself, or as was said when it was added, when left out. */
  readonly reading?: ModelReading | undefined;
  /** Whether every edit names a VAE: the model may lack its own. */
  readonly isVaeNamed?: boolean | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/**
 * Throws EditError: 'model-missing', 'model-unsupported' and 'model-damaged' for a named model that cannot be used,
 * 'invalid-request' for a bad value.
 */
export async function readConfig(flags: ConfigFlags, env: Environment): Promise<Config> {
  const dataDir = dataDirOf(env);
  const cacheDir = cacheDirOf(env);
  const library = {
    modelsDir: modelsDirOf(dataDir),
    machine: machineOf(env),
    looksAtStart: true,
    downloads: { catalog: readCatalog(), hub: () => readHub(env) },
  };
  const { reading = null } = flags;
  const chosen = flags.modelDir ?? env['TOKENFLOW_MODEL'];
  const models = await chooseModels({ ...library, cacheDir, isVaeNamed: flags.isVaeNamed }, chosen, reading);
  const [first = ''] = models.keys();
  return Object.freeze({
    ports: flags.port === undefined ? companionPorts : [flags.port],
    cacheDir,
    dataDir,
    models,
    readings: new Map(reading === null ? [] : [[first, reading]]),
    library,
    logLevel: flags.logLevel ?? readLogLevel(env['TOKENFLOW_LOG']),
    inversionsBudgetBytes: readGigabytes(env, 'TOKENFLOW_INVERSIONS_GB'),
    remote: readRemoteAccess(flags, dataDir),
  });
}

/** The cache folder by TOKENFLOW_CACHE, or where the system keeps such things. */
export function cacheDirOf(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const chosen = env['TOKENFLOW_CACHE'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  if (platform === 'win32') {
    return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'tokenflow');
  }
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'tokenflow');
  return join(env['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'tokenflow');
}

/** The data folder by TOKENFLOW_DATA, or where the system keeps such things. */
export function dataDirOf(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const chosen = env['TOKENFLOW_DATA'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  if (platform === 'win32') {
    return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'tokenflow', 'data');
  }
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'tokenflow');
  return join(env['XDG_DATA_HOME'] ?? join(home, '.local', 'share'), 'tokenflow');
}

/** Whose programs' models are found: the user's, unless TOKENFLOW_LIBRARY is `off`. Throws EditError 'invalid-request'. */
export function machineOf(env: Environment): Machine | null {
  const chosen = env['TOKENFLOW_LIBRARY'];
  if (chosen === 'off') return null;
  if (chosen !== undefined && chosen !== '' && chosen !== 'on') {
    throw new EditError('invalid-request', `TOKENFLOW_LIBRARY must be on or off, got '${chosen}'.`);
  }
  const home = env[process.platform === 'win32' ? 'USERPROFILE' : 'HOME'];
  return { env, platform: process.platform, home: home === undefined || home === '' ? homedir() : home };
}

/** Bytes; null where the variable is not set. */
function readGigabytes(env: Environment, name: string): number | null {
  const value = env[name];
  if (value === undefined || value === '') return null;
  const gigabytes = Number(value);
  if (gigabytes >= 0 && gigabytes <= 1e6) return gigabytes * 1e9;
  throw new EditError('invalid-request', `${name} must be a number from 0 to 1000000, got '${value}'.`);
}

function readLogLevel(value: string | undefined): LogLevel {
  if (value === undefined || value === '') return 'info';
  const level = logLevels.find((known) => known === value);
  if (level !== undefined) return level;
  throw new EditError('invalid-request', `TOKENFLOW_LOG must be one of ${logLevels.join(', ')}, got '${value}'.`);
}
