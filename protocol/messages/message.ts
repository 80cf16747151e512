// What the messages of both sides share: a `type` that selects the fields, and four kinds of id.

import { FieldError, hex, integer, object, oneOf, parse, type ObjectOf, type Schema, type Fields } from '../fields.ts';

const maxUint32 = 2 ** 32 - 1;

/** Chosen by the client, unique among its open requests. */
export const requestId = integer(0, maxUint32);

/** Chosen by the client, another one for each of its questions; one that is repeated on another connection keeps it. */
export const estimateId = integer(0, maxUint32);

/** Chosen by the server, unique within the connection. */
export const streamId = integer(1, maxUint32);

/** Of a clip or a job: made by the server, impossible to guess. 32 lower-case hexadecimal digits. */
export const id = hex(32);

/** The fields of each message beside its `type`. */
export type MessageFields = Readonly<Record<string, Fields>>;

/** Every message of such a table, or those of one or more types. */
export type MessageOf<
  Messages extends MessageFields,
  Type extends keyof Messages = keyof Messages,
> = Type extends keyof Messages ? ObjectOf<Messages[Type] & { readonly type: Schema<Type> }> : never;

/** Makes the reader of these messages. It takes JSON text and throws FieldError. */
export function messageParser<const Messages extends MessageFields>(
  messages: Messages,
): (text: string) => MessageOf<Messages> {
  const schemas = new Map<string, Schema<unknown>>(
    Object.entries(messages).map(([type, fields]) => [type, object({ type: oneOf([type]), ...fields })]),
  );
  const known = [...schemas.keys()].join(', ');
  return (text) => {
    const value = parseJson(text);
    const schema = schemas.get(typeOf(value) ?? '');
    if (schema === undefined) throw new FieldError('message.type', `must be one of ${known}.`);
    return parse(schema, value, 'message') as MessageOf<Messages>;
  };
}

/** The request id of a message that could not be read, so that the refusal still finds its sender; else null. */
export function requestIdOf(text: string): number | null {
  try {
    const value = parseJson(text) as { readonly requestId?: unknown } | null;
    return parse(requestId, value?.requestId, 'message.requestId');
  } catch {
    return null;
  }
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
