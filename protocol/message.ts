// What the messages of both sides share: a `type` that selects the reader, and four kinds of id.

import { FieldError, readFields, type FieldReader } from './fields.ts';

const maxUint32 = 2 ** 32 - 1;

/** One entry per message type: its fields beside `type`, and how they are read. */
export type MessageReaders<Message extends { readonly type: string }> = {
  readonly [Type in Message['type']]: {
    readonly keys: readonly string[];
    readonly read: (fields: FieldReader) => Extract<Message, { readonly type: Type }>;
  };
};

/** Reads JSON text by the reader that its `type` selects. Throws FieldError. */
export function parseMessage<Message extends { readonly type: string }>(
  text: string,
  readers: MessageReaders<Message>,
): Message {
  const value = parseJson(text);
  const type = typeOf(value);
  if (type === undefined || !Object.hasOwn(readers, type)) {
    const known = Object.keys(readers).join(', ');
    throw new FieldError('message.type', `must be one of ${known}.`);
  }
  const { keys, read } = readers[type as Message['type']];
  return read(readFields(value, 'message', ['type', ...keys]));
}

/** The request id of a message that could not be read, so that the refusal still finds its sender; else null. */
export function requestIdOf(text: string): number | null {
  try {
    const value = parseJson(text) as { readonly requestId?: unknown } | null;
    const requestId = value?.requestId;
    return isRequestId(requestId) ? requestId : null;
  } catch {
    return null;
  }
}

/** Chosen by the client, unique among its open requests. */
export function readRequestId(fields: FieldReader): number {
  return fields.integer('requestId', 0, maxUint32);
}

/** Chosen by the client, another one for each of its questions; one that is repeated on another connection keeps it. */
export function readEstimateId(fields: FieldReader): number {
  return fields.integer('estimateId', 0, maxUint32);
}

/** Chosen by the server, unique within the connection. */
export function readStreamId(fields: FieldReader): number {
  return fields.integer('streamId', 1, maxUint32);
}

/** Of a clip or a job: made by the server, impossible to guess. */
export function readId(fields: FieldReader, key: string): string {
  return fields.hex(key, 32);
}

function isRequestId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxUint32;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FieldError('message', 'must be JSON.');
  }
}

function typeOf(value: unknown): string | undefined {
  const type = (value as { readonly type?: unknown } | null)?.type;
  return typeof type === 'string' ? type : undefined;
}
