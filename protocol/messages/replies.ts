// Which reply belongs to which request, for the types of a client. Types only.

import type { ClientMessage } from './client-messages.ts';
import type { ServerMessage } from './server-messages.ts';

/** A message that is answered. */
export type Request = Extract<ClientMessage, { readonly requestId: number }>;

/** A message that is not. */
export type Notice = Exclude<ClientMessage, Request>;

/** A request as a caller writes it; the connection chooses the id. */
export type RequestOf<Type extends Request['type']> = Omit<Extract<Request, { readonly type: Type }>, 'requestId'>;

interface ReplyTypes {
  readonly identify: 'identity';
  readonly pair: 'paired';
  readonly hello: 'welcome';
  readonly 'diagnostics-get': 'diagnostics';
  readonly 'storage-get': 'storage';
  readonly 'models-get': 'models';
  readonly 'licence-get': 'licence';
  readonly 'model-download': 'model-download-taken';
  readonly 'model-download-pause': 'model-download-taken';
  readonly 'model-download-cancel': 'model-download-taken';
  readonly 'model-remove': 'model-removed';
  readonly 'sample-get': 'sample-ready';
  readonly 'upload-begin': 'upload-ready';
  readonly 'upload-end': 'upload-done';
  readonly 'clip-get': 'clip';
  readonly 'clip-delete': 'clip-deleted';
  readonly estimate: 'estimated' | 'estimate-canceled';
  readonly 'job-create': 'job';
  readonly 'job-list': 'job-listed';
  readonly 'job-get': 'job';
  readonly 'job-cancel': 'job';
  readonly 'job-pause': 'job';
  readonly 'job-resume': 'job';
  readonly 'job-move': 'job';
  readonly 'job-delete': 'job-deleted';
  readonly 'download-begin': 'download-ready';
  readonly 'frame-get': 'frame-ready';
  readonly 'control-picture-get': 'frame-ready';
  readonly 'playback-get': 'playback';
  readonly 'frames-get': 'frames-ready';
}

export type ReplyTo<Type extends Request['type']> = Extract<ServerMessage, { readonly type: ReplyTypes[Type] }>;
