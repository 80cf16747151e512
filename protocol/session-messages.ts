// Messages about the connection itself: pairing, greeting, diagnostics, refusals.

import { devices, type Device } from './devices.ts';
import { readChecks, type Check } from './diagnostics.ts';
import { readWireError, type WireError } from './wire-error.ts';
import type { FieldReader } from './fields.ts';
import { readId, readRequestId, type MessageReaders } from './message.ts';
import { readModels, type ModelInfo } from './model-info.ts';

/** Who talks: a program and its version. */
export interface Peer {
  readonly name: string;
  readonly version: string;
}

/**
 * Exchanges the code that the server shows for a token, once. Comes before `hello`, which follows on the same
 * connection or a later one. Reply: `paired`.
 */
export interface Pair {
  readonly type: 'pair';
  readonly requestId: number;
  readonly protocol: number;
  /** As the user typed it. */
  readonly code: string;
  /** What the user will see in the list of paired clients. */
  readonly name: string;
}

/** Begins the work of a connection. Reply: `welcome`. */
export interface Hello {
  readonly type: 'hello';
  readonly requestId: number;
  readonly protocol: number;
  readonly client: Peer;
  /** From `paired`; the command line's own is made at every start of the server. */
  readonly token: string;
}

/** Asks the server to examine itself. Reply: `diagnostics`. */
export interface DiagnosticsGet {
  readonly type: 'diagnostics-get';
  readonly requestId: number;
}

/** Reply to `pair`. */
export interface Paired {
  readonly type: 'paired';
  readonly requestId: number;
  readonly clientId: string;
  /** To be kept secret. The server does not know it any more: it keeps a hash. */
  readonly token: string;
}

/** Reply to `hello`. */
export interface Welcome {
  readonly type: 'welcome';
  readonly requestId: number;
  readonly protocol: number;
  readonly server: Peer;
  /** What the last edit was computed on; null before the first one since the server's start. */
  readonly device: Device | null;
  /** Checkpoints that a job may use; the first is the default. */
  readonly models: readonly ModelInfo[];
}

/** Reply to `diagnostics-get`. */
export interface Diagnostics {
  readonly type: 'diagnostics';
  readonly requestId: number;
  readonly checks: readonly Check[];
}

/** The folders in which a server keeps its files. */
export const storeFolders = ['data', 'cache'] as const;
export type StoreFolder = (typeof storeFolders)[number];

/** A disk of the server that is nearly full. */
export interface DiskShortage {
  readonly folder: StoreFolder;
  readonly freeBytes: number;
  /** What is to be freed before the server has enough. */
  readonly missingBytes: number;
}

/** Event on every connection: a disk of the server has become full, or has room again; the disks that are full now. */
export interface DiskChanged {
  readonly type: 'disk-changed';
  readonly shortages: readonly DiskShortage[];
}

/** Reply to any request that cannot be granted; null when its `requestId` could not be read. */
export interface ErrorReply {
  readonly type: 'error';
  readonly requestId: number | null;
  readonly error: WireError;
}

export type ClientSessionMessage = Pair | Hello | DiagnosticsGet;
export type ServerSessionMessage = Paired | Welcome | Diagnostics | DiskChanged | ErrorReply;

export const clientSessionReaders: MessageReaders<ClientSessionMessage> = {
  pair: {
    keys: ['requestId', 'protocol', 'code', 'name'],
    read: (fields) => ({
      type: 'pair',
      requestId: readRequestId(fields),
      protocol: readProtocol(fields),
      code: fields.text('code', { min: 1, max: 40 }),
      name: fields.text('name', { min: 1, max: 100 }),
    }),
  },
  hello: {
    keys: ['requestId', 'protocol', 'client', 'token'],
    read: (fields) => ({
      type: 'hello',
      requestId: readRequestId(fields),
      protocol: readProtocol(fields),
      client: readPeer(fields, 'client'),
      token: fields.text('token', { max: 200 }),
    }),
  },
  'diagnostics-get': {
    keys: ['requestId'],
    read: (fields) => ({ type: 'diagnostics-get', requestId: readRequestId(fields) }),
  },
};

export const serverSessionReaders: MessageReaders<ServerSessionMessage> = {
  paired: {
    keys: ['requestId', 'clientId', 'token'],
    read: (fields) => ({
      type: 'paired',
      requestId: readRequestId(fields),
      clientId: readId(fields, 'clientId'),
      token: fields.text('token', { min: 1, max: 200 }),
    }),
  },
  welcome: {
    keys: ['requestId', 'protocol', 'server', 'device', 'models'],
    read: (fields) => ({
      type: 'welcome',
      requestId: readRequestId(fields),
      protocol: readProtocol(fields),
      server: readPeer(fields, 'server'),
      device: fields.nullable('device', () => fields.oneOf('device', devices)),
      models: readModels(fields),
    }),
  },
  diagnostics: {
    keys: ['requestId', 'checks'],
    read: (fields) => ({
      type: 'diagnostics',
      requestId: readRequestId(fields),
      checks: readChecks(fields),
    }),
  },
  'disk-changed': {
    keys: ['shortages'],
    read: (fields) => ({
      type: 'disk-changed',
      shortages: fields
        .objects('shortages', storeFolders.length, ['folder', 'freeBytes', 'missingBytes'])
        .map((shortage) => ({
          folder: shortage.oneOf('folder', storeFolders),
          freeBytes: shortage.integer('freeBytes', 0, Number.MAX_SAFE_INTEGER),
          missingBytes: shortage.integer('missingBytes', 0, Number.MAX_SAFE_INTEGER),
        })),
    }),
  },
  error: {
    keys: ['requestId', 'error'],
    read: (fields) => ({
      type: 'error',
      requestId: fields.nullable('requestId', () => readRequestId(fields)),
      error: readWireError(fields),
    }),
  },
};

function readProtocol(fields: FieldReader): number {
  return fields.integer('protocol', 1, 1_000_000);
}

function readPeer(fields: FieldReader, key: string): Peer {
  const peer = fields.object(key, ['name', 'version']);
  return {
    name: peer.text('name', { min: 1, max: 100 }),
    version: peer.text('version', { min: 1, max: 100 }),
  };
}
