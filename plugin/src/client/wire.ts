// Which reply belongs to which request, and how what the server says is read.

import {
  serverClipReaders,
  type ClientClipMessage,
  type ServerClipMessage,
} from '../../../protocol/clip-messages.ts';
import {
  serverJobReaders,
  type ClientJobMessage,
  type ServerJobMessage,
} from '../../../protocol/job-messages.ts';
import { parseMessage } from '../../../protocol/message.ts';
import {
  serverSessionReaders,
  type ClientSessionMessage,
  type ServerSessionMessage,
} from '../../../protocol/session-messages.ts';
import {
  serverStreamReaders,
  type ClientStreamMessage,
  type ServerStreamMessage,
} from '../../../protocol/stream-messages.ts';

export type FromServer =
  ServerSessionMessage | ServerClipMessage | ServerJobMessage | ServerStreamMessage;
export type FromClient =
  ClientSessionMessage | ClientClipMessage | ClientJobMessage | ClientStreamMessage;

export type Request = Extract<FromClient, { readonly requestId: number }>;
/** What needs no reply. */
export type Note = Exclude<FromClient, Request>;

type WithoutId<T> = T extends unknown ? Omit<T, 'requestId'> : never;
export type RequestOf<Type extends Request['type']> = WithoutId<
  Extract<Request, { readonly type: Type }>
> & { readonly type: Type };

interface ReplyTypes {
  readonly pair: 'paired';
  readonly hello: 'welcome';
  readonly 'diagnostics-get': 'diagnostics';
  readonly 'upload-begin': 'upload-ready';
  readonly 'upload-end': 'upload-done';
  readonly 'clip-get': 'clip';
  readonly 'clip-delete': 'clip-deleted';
  readonly estimate: 'estimated';
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
}
export type ReplyTo<Type extends Request['type']> = Extract<
  FromServer,
  { readonly type: Type extends keyof ReplyTypes ? ReplyTypes[Type] : never }
>;

const readers = {
  ...serverSessionReaders,
  ...serverClipReaders,
  ...serverJobReaders,
  ...serverStreamReaders,
};

/** Throws FieldError. */
export function parseFromServer(text: string): FromServer {
  return parseMessage<FromServer>(text, readers);
}
