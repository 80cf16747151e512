// The messages of the companion server: replies, which have the `requestId` of their request, and events.

import { serverClipMessages } from './clip-messages.ts';
import { serverJobMessages } from './job-messages.ts';
import { messageParser, type MessageOf } from './message.ts';
import { serverModelMessages } from './model-messages.ts';
import { serverSessionMessages } from './session-messages.ts';
import { serverStreamMessages } from './stream-messages.ts';

const messages = {
  ...serverSessionMessages,
  ...serverClipMessages,
  ...serverJobMessages,
  ...serverModelMessages,
  ...serverStreamMessages,
};

export type ServerMessage = MessageOf<typeof messages>;

/** Reads one JSON control message of the companion server. Throws FieldError. */
export const parseServerMessage: (text: string) => ServerMessage = messageParser(messages);
