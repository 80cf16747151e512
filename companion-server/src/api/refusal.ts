// The status and the body of the answer to a refused HTTP request. The only table of statuses.

import type { ErrorCode } from '../../../protocol/error-codes.ts';
import { EditError } from '../errors.ts';

/** For requests that are refused before they reach a route, and for a file that cannot be sent. */
export const refusalStatus = {
  /** A WebSocket is opened without the protocol's subprotocol. */
  subprotocol: 400,
  /** The request comes from a web page, or is for a name that is not this server's. */
  unauthenticated: 403,
  nothingThere: 404,
  method: 405,
  contentType: 415,
  range: 416,
} as const;

/** Of failures by their code. No route answers with a code that is not here: it is a fault of the server, 500. */
const statusByCode: Partial<Record<ErrorCode, number>> = {
  'invalid-request': 400,
  'not-paired': 401,
  'job-missing': 404,
  'connection-lost': 502,
  'database-busy': 503,
  'disk-full': 507,
};

/** Of our own errors by their code; express has its own status for bodies and addresses that it cannot read. */
export function statusOf(error: unknown): number {
  if (error instanceof EditError) return statusByCode[error.code] ?? 500;
  const status = (error as { readonly status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

/** The JSON body of a refusal. */
export function refusal(message: string): object {
  return { error: { code: 'invalid-request', message } };
}
