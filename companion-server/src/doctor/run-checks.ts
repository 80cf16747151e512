// The doctor: examines the machine and the server, and says of each thing what is wrong and what to do. The same checks
// answer `diagnostics-get`.

import { protocolVersion } from '../../../protocol/version.ts';
import type { Check } from '../../../protocol/diagnostics.ts';
import { withoutAnyPath } from '../without-paths.ts';
import { checkFolder, checkMachine, toLine } from './machine-checks.ts';
import { findPortOwner, type PortFinding } from './port-owner.ts';
import { typed } from '../typed-command.ts';

/** A client that is paired, as far as the doctor cares. */
export interface KnownClient {
  readonly name: string;
  /** Of its program, when it was last seen; null when it never was. */
  readonly version: string | null;
}

export interface DoctorDeps {
  readonly version: string;
  readonly dataDir: string;
  readonly cacheDir: string;
  /** Checkpoint folders by name. */
  readonly models: ReadonlyMap<string, string>;
  /** Of the server that runs; where none runs, those that it would try. */
  readonly ports: readonly number[];
  /** Whether the doctor was called from within the running server. */
  readonly isInServer: boolean;
  /** Looks at Node, ffmpeg and the devices. Default: those of this machine. */
  readonly examineMachine?: () => Promise<readonly Check[]>;
}

/**
 * For the user who runs the server. `clients`: the paired clients; null when no server runs, because only a running
 * server knows them. Never throws: a check that fails itself is `unknown`. May take half a minute when a device does not
 * answer.
 */
export async function runChecks(deps: DoctorDeps, clients: readonly KnownClient[] | null): Promise<Check[]> {
  return [...(await examine(deps)), checkClients('paired clients', clients, deps.version)];
}

async function examine(deps: DoctorDeps): Promise<Check[]> {
  const { dataDir, cacheDir, examineMachine = checkMachine } = deps;
  const checks = [
    attempt('companion server', () => checkServer(deps)),
    attempt('data folder', () => checkFolder('data folder', dataDir, 'TOKENFLOW_DATA')),
    attempt('cache folder', () => checkFolder('cache folder', cacheDir, 'TOKENFLOW_CACHE')),
    attempt('models', () => checkModels(deps.models)),
    attempt('machine', examineMachine),
  ];
  return (await Promise.all(checks)).flat();
}

/**
 * A doctor for clients. Its answer mentions only the client that asks. One examination runs at a time: clients that ask
 * during it get the same answer.
 */
export function createDoctor(deps: () => DoctorDeps): (asker: KnownClient) => Promise<Check[]> {
  let running: Promise<Check[]> | undefined;
  return async (asker) => {
    const now = deps();
    running ??= examine(now).finally(() => (running = undefined));
    const checks = [...(await running), checkClients('this client', [asker], now.version)];
    return checks.map((check) => forClient(check, now));
  };
}

/** The folders by what they are, and of every other file only its name. */
function forClient(check: Check, { dataDir, cacheDir }: DoctorDeps): Check {
  const inwards = [
    ['the data folder', dataDir],
    ['the cache folder', cacheDir],
  ].sort(([, a = ''], [, b = '']) => b.length - a.length);
  const told = (text: string): string =>
    withoutAnyPath(inwards.reduce((rest, [name = '', path = '']) => rest.replaceAll(path, name), text));
  const { detail, advice } = check;
  return { ...check, detail: told(detail), advice: advice === null ? null : told(advice) };
}

async function attempt(
  name: string,
  check: () => Check | readonly Check[] | Promise<Check | readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    return [await check()].flat();
  } catch (error) {
    return [{ name, status: 'unknown', detail: `It could not be examined: ${toLine(error)}`, advice: null }];
  }
}

async function checkServer({ version, ports, isInServer }: DoctorDeps): Promise<readonly Check[]> {
  const name = 'companion server';
  if (isInServer) {
    const detail = `Version ${version}, protocol ${protocolVersion}, port ${ports.join(', ')}.`;
    return [{ name, status: 'ok', detail, advice: null }];
  }
  const owners = await Promise.all(ports.map(async (port) => ({ port, owner: await findPortOwner(port) })));
  const servers = owners.filter(({ owner }) => owner.kind === 'companion-server');
  if (servers.length > 0) return servers.map((server) => checkOwner(server, version));
  // Other programs at some of the ports do not matter as long as one is left.
  const free = owners.find(({ owner }) => owner.kind === 'free');
  return (free === undefined ? owners : [free]).map((found) => checkOwner(found, version));
}

interface OwnedPort {
  readonly port: number;
  readonly owner: PortFinding;
}

function checkOwner({ port, owner }: OwnedPort, version: string): Check {
  const name = 'companion server';
  switch (owner.kind) {
    case 'free':
      return {
        name,
        status: 'ok',
        detail: `It does not run; port ${port} is free.`,
        advice: `Start it with ${typed('start')}.`,
      };
    case 'companion-server': {
      const isOther = owner.version !== version;
      return {
        name,
        status: isOther ? 'problem' : 'ok',
        detail: `Version ${owner.version} runs on port ${port}${isOther ? `; installed is ${version}` : ''}.`,
        advice: isOther ? `Stop it and start it again with ${typed('start')}.` : null,
      };
    }
    case 'other':
      return {
        name,
        status: 'problem',
        detail: `Port ${port} is used by ${owner.program ?? 'another program'}.`,
        advice: `End that program, or start the server elsewhere: ${typed('start --port 7900')}.`,
      };
  }
}

function checkClients(name: string, clients: readonly KnownClient[] | null, version: string): Check {
  if (clients === null) {
    return { name, status: 'unknown', detail: 'The server does not run.', advice: null };
  }
  if (clients.length === 0) {
    return {
      name,
      status: 'ok',
      detail: 'Nobody is paired.',
      advice: `Type the code of ${typed('pair')} into the panel.`,
    };
  }
  const shown = clients.map((client) => `${client.name} (${client.version ?? 'never connected'})`);
  const isOther = clients.some((client) => client.version !== null && client.version !== version);
  return {
    name,
    status: isOther ? 'problem' : 'ok',
    detail: `${shown.join(', ').slice(0, 800)}.`,
    advice: isOther ? `Bring panel and server to the same version; the server has ${version}.` : null,
  };
}

function checkModels(models: ReadonlyMap<string, string>): Check {
  const isNone = models.size === 0;
  return {
    name: 'models',
    status: isNone ? 'problem' : 'ok',
    detail: isNone ? 'There is none.' : `${[...models.keys()].join(', ').slice(0, 800)}.`,
    advice: isNone ? `Pull one with ${typed('models pull ID')}.` : null,
  };
}
