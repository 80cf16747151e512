// Messages about the models of the server's machine: downloading, removing, and the sample clips of a practice model.

import { hex, integer, nullable, oneOf, text } from '../fields.ts';
import { maxFrameBytes, maxLicenceCharacters } from '../limits.ts';
import { modelDownloads, offerId, offerKinds } from '../model-offers.ts';
import { requestId, streamId, type MessageOf } from './message.ts';

export const clientModelMessages = {
  /** Asks for the licence of a model that can be downloaded. Reply: `licence`. */
  'licence-get': { requestId, modelId: offerId },

  /**
   * Begins a download, or continues one that is paused, has failed or was cut off. One runs at a time; others wait. Reply:
   * `model-download-taken`.
   */
  'model-download': {
    requestId,
    modelId: offerId,
    /** Of the licence that the user has accepted, from `licence`; null for a download whose licence was accepted before. */
    acceptedLicence: nullable(hex(64)),
  },

  /** Stops a download, and keeps what has come. Reply: `model-download-taken`. */
  'model-download-pause': { requestId, modelId: offerId },

  /** Ends a download, and deletes what has come. Reply: `model-download-taken`. */
  'model-download-cancel': { requestId, modelId: offerId },

  /** Deletes a model that was downloaded, or forgets one that was added. Reply: `model-removed`. */
  'model-remove': { requestId, kind: oneOf(offerKinds), name: text({ min: 1, max: 200 }) },

  /** Asks for a sample clip of a practice model. Reply: `sample-ready`; then its chunks follow, without acknowledgement. */
  'sample-get': { requestId, modelId: text({ min: 1, max: 200 }), sample: text({ min: 1, max: 60 }) },
};

export const serverModelMessages = {
  /** Reply to `licence-get`. */
  licence: {
    requestId,
    modelId: offerId,
    name: text({ min: 1, max: 200 }),
    /** The page of its author. */
    url: text({ min: 1, max: 500 }),
    /** Null where the server has only the address. */
    text: nullable(text({ max: maxLicenceCharacters })),
    /** Of name, address and text: what `model-download` repeats when the user accepts them. */
    sha256: hex(64),
  },

  /** Reply to a request about a download. What becomes of it is told by `model-downloads`. */
  'model-download-taken': { requestId, modelId: offerId },

  /** Event on every connection: all downloads that are not done, after a change and twice a second while one runs. */
  'model-downloads': { downloads: modelDownloads },

  /** Event on every connection: there is another model, or one less; `models-get` has the list. */
  'models-changed': {},

  /** Reply to `model-remove`. */
  'model-removed': { requestId, kind: oneOf(offerKinds), name: text({ min: 1, max: 200 }) },

  /** Reply to `sample-get`; `sizeBytes` is of the clip. */
  'sample-ready': { requestId, streamId, sizeBytes: integer(1, maxFrameBytes) },
};

export type ModelRemove = MessageOf<typeof clientModelMessages, 'model-remove'>;
export type SampleGet = MessageOf<typeof clientModelMessages, 'sample-get'>;
export type Licence = Omit<MessageOf<typeof serverModelMessages, 'licence'>, 'type' | 'requestId'>;
