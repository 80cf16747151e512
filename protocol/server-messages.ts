// What the companion server says: replies, which carry the `requestId` of what they answer, and events.

import { serverClipReaders, type ServerClipMessage } from './clip-messages.ts';
import { serverJobReaders, type ServerJobMessage } from './job-messages.ts';
import { parseMessage, type MessageReaders } from './message.ts';
import { serverSessionReaders, type ServerSessionMessage } from './session-messages.ts';
import { serverStreamReaders, type ServerStreamMessage } from './stream-messages.ts';

export type ServerMessage = ServerSessionMessage | ServerClipMessage | ServerJobMessage | ServerStreamMessage;

const readers: MessageReaders<ServerMessage> = {
  ...serverSessionReaders,
  ...serverClipReaders,
  ...serverJobReaders,
  ...serverStreamReaders,
};

/** Reads one JSON control message of the companion server. Throws FieldError. */
export function parseServerMessage(text: string): ServerMessage {
  return parseMessage(text, readers);
}
