// Models that the server can download, and downloads on their way.

import { count, list, nullable, number, object, oneOf, text, type Infer } from './fields.ts';
import { listLimits } from './limits.ts';
import { wireError } from './messages/wire-error.ts';

/** What can be downloaded in the panel. */
export const offerKinds = ['checkpoint', 'lora'] as const;
export type OfferKind = (typeof offerKinds)[number];

/** The name of a model in the catalogue. */
export const offerId = text({ min: 1, max: 64 });

/** `available`: nothing of it is here. `begun`: a part is. `here`: it can be used. */
export const offerStates = ['available', 'begun', 'here'] as const;

const modelOffer = object({
  id: offerId,
  title: text({ min: 1, max: 200 }),
  kind: oneOf(offerKinds),
  /** The family of models that it is of, or that it is for. */
  family: text({ min: 1, max: 200 }),
  goodFor: text({ max: 1_000 }),
  licenceName: text({ min: 1, max: 200 }),
  /** All files together, about. */
  sizeBytes: count,
  state: oneOf(offerStates),
});
export type ModelOffer = Infer<typeof modelOffer>;

export const modelOffers = list(modelOffer, 1_000);

/** `waiting`: another download runs. `failed`: with the error; what has come is kept. */
export const downloadStates = ['waiting', 'running', 'paused', 'failed'] as const;
export type DownloadState = (typeof downloadStates)[number];

const modelDownload = object({
  id: offerId,
  title: text({ min: 1, max: 200 }),
  state: oneOf(downloadStates),
  /** Bytes that are on the server's disk. */
  doneBytes: count,
  /** About, until the hub has said it. */
  totalBytes: count,
  /** Over the last seconds; null while that is not known. */
  bytesPerSecond: nullable(number(0, Number.MAX_SAFE_INTEGER)),
  error: nullable(wireError),
});
export type ModelDownload = Infer<typeof modelDownload>;

/** A download that is done is not in the list any more. */
export const modelDownloads = list(modelDownload, listLimits.downloads);
