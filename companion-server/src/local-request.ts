// One question to a server on this machine over HTTP, by Node's own client: its fetch cannot connect under Wine, where the
// program for Windows is tested.

import { request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface LocalRequest {
  readonly method?: 'GET' | 'POST';
  readonly token?: string;
  /** How long the whole answer may take. */
  readonly timeoutMs: number;
}

export interface LocalAnswer {
  readonly status: number;
  readonly body: string;
}

/** A POST sends an empty object. Rejects with Node's error when nobody answers in time. */
export function askLocally(url: URL, { method = 'GET', token, timeoutMs }: LocalRequest): Promise<LocalAnswer> {
  const body = method === 'POST' ? '{}' : '';
  const headers = {
    'content-length': body.length,
    ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    // A connection of its own: none is kept that could hold the process.
    const question = request(url, { method, headers, agent: false, signal }, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    });
    question.once('error', reject);
    question.end(body);
  });
}
