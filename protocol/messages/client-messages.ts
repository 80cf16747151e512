// The messages of a client: the panel and the command line. Every message with a `requestId` is answered by
// exactly one message with the same `requestId`: the reply that replies.ts names, or `error`.

import { clientClipMessages } from './clip-messages.ts';
import { clientJobMessages } from './job-messages.ts';
import { messageParser, type MessageOf } from './message.ts';
import { clientModelMessages } from './model-messages.ts';
import { clientSessionMessages } from './session-messages.ts';
import { clientStreamMessages } from './stream-messages.ts';

const messages = {
  ...clientSessionMessages,
  ...clientClipMessages,
  ...clientJobMessages,
  ...clientModelMessages,
  ...clientStreamMessages,
};

export type ClientMessage = MessageOf<typeof messages>;

/** Reads one JSON control message of a client. Throws FieldError. */
export const parseClientMessage: (text: string) => ClientMessage = messageParser(messages);
