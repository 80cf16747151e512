// One request to the hub, with its redirects: what comes back is the bytes as they are sent, never unpacked.

import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { EditError, throwIfCanceled } from '../../errors.ts';
import { followRedirect, isAtHub, type Hub } from './hub-address.ts';
import { HubTrouble } from './hub-trouble.ts';

const maxRedirects = 5;
const redirects = [301, 302, 303, 307, 308];

/** A connection on which nothing moves for so long is given up. */
const defaultIdleMs = 60_000;

export interface HubAnswer {
  readonly status: number;
  /** Of the last answer, the one with the file. */
  readonly headers: IncomingMessage['headers'];
  /** Headers of the hub itself, which says more about a file than the storage that it redirects to. */
  readonly hubHeaders: IncomingMessage['headers'];
  /** Whether the last answer came from the hub itself. */
  readonly isFromHub: boolean;
  /** To be read or destroyed. */
  readonly body: IncomingMessage;
}

export interface HubRequest {
  readonly method: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  readonly idleMs?: number | undefined;
  /** Stop at the hub's redirect when its headers already say what the file is. */
  readonly isEnough?: (headers: IncomingMessage['headers']) => boolean;
}

/** Throws HubTrouble for a lost connection, EditError 'download-refused' for a redirect elsewhere, CanceledError. */
export async function askHub(hub: Hub, url: URL, options: HubRequest): Promise<HubAnswer> {
  let at = url;
  let hubHeaders: IncomingMessage['headers'] = {};
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const isFromHub = isAtHub(hub, at);
    const body = await send(at, isFromHub ? hub.token : undefined, options);
    const { headers } = body;
    const status = body.statusCode ?? 0;
    if (isFromHub) hubHeaders = { ...hubHeaders, ...headers };
    const isRedirect = redirects.includes(status);
    if (!isRedirect || options.isEnough?.(hubHeaders) === true) {
      refusePacked(at, body);
      return { status, headers, hubHeaders, isFromHub, body };
    }
    body.destroy();
    at = followRedirect(hub, at, headers.location);
  }
  throw new EditError('download-refused', `${url.host} redirects more than ${maxRedirects} times.`);
}

async function send(
  url: URL,
  token: string | undefined,
  { method, headers, signal, idleMs = defaultIdleMs }: HubRequest,
): Promise<IncomingMessage> {
  throwIfCanceled(signal);
  const start = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request = start(url, {
    method,
    headers: {
      'accept-encoding': 'identity',
      'user-agent': 'tokenflow',
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(signal === undefined ? {} : { signal }),
  });
  request.setTimeout(idleMs, () =>
    request.destroy(new Error(`nothing was received for ${Math.round(idleMs / 1000)} s`)),
  );
  // Once there is an answer, later failures appear in the stream of its body.
  request.on('error', () => undefined);
  request.end();
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  } catch (error) {
    throwIfCanceled(signal);
    throw connectionTrouble(url, error);
  }
}

/** A connection that failed, as the trouble that it is. */
export function connectionTrouble(url: URL, error: unknown): HubTrouble {
  const reason = error instanceof Error ? describe(error) : String(error);
  return new HubTrouble(
    new EditError('connection-lost', `The connection to ${url.host} failed: ${reason}.`, {
      hint: 'What has been downloaded is kept: run the command again to go on from there.',
      cause: error,
    }),
  );
}

/** The message of a failed connection to several addresses is empty: its code says it. */
function describe(error: Error): string {
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

/** Bytes that must be unpacked first have another length and other hashes, and may unpack to anything. */
function refusePacked(url: URL, body: IncomingMessage): void {
  const encoding = body.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  body.destroy();
  throw new EditError(
    'download-refused',
    `${url.host} sends the file packed (${encoding}), though plain bytes were asked for.`,
    { hint: 'A proxy on the way may do this; download without it.' },
  );
}
