// What a client says: the panel and the command line. Every message with a `requestId` is answered by
// exactly one message with the same `requestId`: the reply that replies.ts names, or `error`.

import { clientClipReaders, type ClientClipMessage } from './clip-messages.ts';
import { clientJobReaders, type ClientJobMessage } from './job-messages.ts';
import { parseMessage, type MessageReaders } from './message.ts';
import { clientSessionReaders, type ClientSessionMessage } from './session-messages.ts';
import { clientStreamReaders, type ClientStreamMessage } from './stream-messages.ts';

export type ClientMessage = ClientSessionMessage | ClientClipMessage | ClientJobMessage | ClientStreamMessage;

const readers: MessageReaders<ClientMessage> = {
  ...clientSessionReaders,
  ...clientClipReaders,
  ...clientJobReaders,
  ...clientStreamReaders,
};

/** Reads one JSON control message of a client. Throws FieldError. */
export function parseClientMessage(text: string): ClientMessage {
  return parseMessage(text, readers);
}
