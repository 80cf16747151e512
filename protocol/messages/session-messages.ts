// Messages about the connection itself: pairing, greeting, diagnostics, refusals.

import { devices } from '../devices.ts';
import { checks } from '../diagnostics.ts';
import { count, hex, integer, list, nullable, object, oneOf, text, type Infer } from '../fields.ts';
import { identityFields } from '../identity.ts';
import { id, requestId, type MessageOf } from './message.ts';
import { modelInfos, modelLists } from '../model-info.ts';
import { wireError } from './wire-error.ts';

const protocol = integer(1, 1_000_000);

/** A client program and its version. */
const peer = object({ name: text({ min: 1, max: 100 }), version: text({ min: 1, max: 100 }) });
export type Peer = Infer<typeof peer>;

/** The folders in which a server keeps its files. */
export const storeFolders = ['data', 'cache'] as const;
export type StoreFolder = (typeof storeFolders)[number];

/** A disk of the server that is nearly full. */
const diskShortage = object({
  folder: oneOf(storeFolders),
  freeBytes: count,
  /** Bytes to free before the server has enough. */
  missingBytes: count,
});
export type DiskShortage = Infer<typeof diskShortage>;

/** Room on the disks of the server, in bytes. */
const storage = {
  /** Clips that were sent, also by other clients, and results with what interrupted edits continue from. */
  clipsBytes: count,
  resultsBytes: count,
  /** Inversions and converted weights, which are made again when they are needed. */
  cacheBytes: count,
  /** Free on the disk of clips and results. */
  freeBytes: count,
};

export const clientSessionMessages = {
  /** Asks who answers here; may come before everything else. Reply: `identity`. */
  identify: {
    requestId,
    /** Random, for the proof. */
    nonce: hex(64),
  },

  /**
   * Exchanges a code for a token, once. Comes before `hello`, which follows on the same connection or a later one.
   * Reply: `paired`.
   */
  pair: {
    requestId,
    protocol,
    /** As the user typed it; or the key of a link that opens the panel, or of the file for this user's panels. */
    code: text({ min: 1, max: 80 }),
    /** What the user will see in the list of paired clients. */
    name: text({ min: 1, max: 100 }),
  },

  /** Begins the work of a connection. Reply: `welcome`. */
  hello: {
    requestId,
    protocol,
    client: peer,
    /** From `paired`; the command line's own is made at every start of the server. */
    token: text({ max: 200 }),
  },

  /** Asks the server to examine itself. Reply: `diagnostics`. */
  'diagnostics-get': { requestId },

  /** Asks how much room the server's files take. Reply: `storage`. */
  'storage-get': { requestId },

  /** Makes the server look again at what lies on its machine. Reply: `models`. */
  'models-get': { requestId },
};

export const serverSessionMessages = {
  /** Reply to `identify`. */
  identity: { requestId, ...identityFields },

  /** Reply to `pair`. */
  paired: {
    requestId,
    clientId: id,
    /** Keep it secret. The server cannot show it again: it keeps only a hash. */
    token: text({ min: 1, max: 200 }),
  },

  /** Reply to `hello`. */
  welcome: {
    requestId,
    protocol,
    server: peer,
    /** The device of the last edit; null until the first edit after the server's start. */
    device: nullable(oneOf(devices)),
    /** Checkpoints that a job may use, as far as they are known by now; the first is the default. */
    models: modelInfos,
  },

  /** Reply to `diagnostics-get`. */
  diagnostics: { requestId, checks },

  /** Reply to `storage-get`. */
  storage: { requestId, ...storage },

  /** Reply to `models-get`. */
  models: { requestId, ...modelLists },

  /** Event on every connection: a disk of the server has become full, or has space again; the disks that are full now. */
  'disk-changed': { shortages: list(diskShortage, storeFolders.length) },

  /** Reply to any request that the server cannot fulfil; null when its `requestId` could not be read. */
  error: { requestId: nullable(requestId), error: wireError },
};

export type Pair = MessageOf<typeof clientSessionMessages, 'pair'>;
export type Identify = MessageOf<typeof clientSessionMessages, 'identify'>;
export type Hello = MessageOf<typeof clientSessionMessages, 'hello'>;
export type Welcome = MessageOf<typeof serverSessionMessages, 'welcome'>;
export type StorageFacts = Omit<MessageOf<typeof serverSessionMessages, 'storage'>, 'type' | 'requestId'>;
export type ModelLists = Omit<MessageOf<typeof serverSessionMessages, 'models'>, 'type' | 'requestId'>;
