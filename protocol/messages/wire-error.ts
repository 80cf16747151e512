// An error as it crosses the wire, and as it is thrown again at the other end.

import { errorCodes, type ErrorCode } from '../error-codes.ts';
import { EditError } from '../errors.ts';
import { object, oneOf, optional, text, type Infer } from '../fields.ts';

const maxMessageCharacters = 4_000;

/** An error as it crosses the wire. */
export const wireError = object({
  code: oneOf(Object.keys(errorCodes) as ErrorCode[]),
  message: text({ max: maxMessageCharacters }),
  /** What the user can do. */
  hint: optional(text({ max: maxMessageCharacters })),
});
export type WireError = Infer<typeof wireError>;

/** The error without its stack and its cause, which stay at this end. */
export function wireErrorOf({ code, message, hint }: EditError): WireError {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/** The error that a wire error describes. */
export function fromWireError({ code, message, hint }: WireError): EditError {
  return new EditError(code, message, { hint });
}
