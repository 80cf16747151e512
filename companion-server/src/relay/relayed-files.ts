// Files of the other machine over HTTP, for players and programs that can only be given an address: the videos of results, and
// results. Only links that the other machine has given to a client of this server pass, each for that client and some minutes.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { object, parse, text as textField } from '../../../protocol/fields.ts';
import { frameSides } from '../../../protocol/messages/stream-messages.ts';
import { pinnedTls } from '../client/pinned-socket.ts';
import { EditError } from '../errors.ts';
import type { RemoteServer } from './remote-server.ts';

/** How long a link is known here. The other machine decides by its own clock how long the link works. */
const linkLifetimeMs = 10 * 60 * 1000;
const maxLinks = 1_000;
/** How long the other machine may take until its answer begins. */
const answerTimeoutMs = 30_000;

const jobId = '[0-9a-f]{32}';
const linkForm = new RegExp(`^/(?:results/${jobId}|playback/${jobId}/(?:${frameSides.join('|')}))\\?[\\w.=&%-]+$`);
const resultLink = object({
  url: textField({ min: 1, max: 1_000 }),
  expiresAt: textField({ min: 1, max: 40 }),
});

/** What of a request and of its answer concerns a part of a file. Nothing else passes. */
const questionHeaders = ['range', 'if-range', 'if-none-match'] as const;
const answerHeaders = ['content-type', 'content-length', 'content-range', 'accept-ranges', 'etag'] as const;
const videoTypes: readonly unknown[] = ['video/mp4', 'video/quicktime'];

export interface FileQuestion {
  /** Path and query, as they were sent. */
  readonly url: string;
  /** Whether only the headers are asked for. */
  readonly isHead: boolean;
  readonly headers: IncomingHttpHeaders;
}

export interface FileAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** To be read to its end, or destroyed. */
  readonly body: Readable;
}

export interface RelayedFiles {
  /** `url`, a path with a query, was given to a client of this server by the machine at `remoteUrl`. */
  noteLink(clientId: string, remoteUrl: string, url: string): void;
  /** A link to a result of the other machine; null when none is connected. Throws EditError as `open`, and 'job-missing'. */
  linkToResult(clientId: string, jobId: string): Promise<{ readonly url: string; readonly expiresAt: string } | null>;
  /** The client that was given the link; null for any other address. */
  ownerOf(url: string): string | null;
  /**
   * A file, or the part that is asked for: status 200, 206, 304 or 416. Throws EditError: 'not-paired' for a link that is not
   * known or does not work any more, 'job-missing', 'connection-lost' when the other machine does not answer or has another
   * certificate.
   */
  open(question: FileQuestion): Promise<FileAnswer>;
}

interface Link {
  readonly clientId: string;
  readonly remoteUrl: string;
  readonly until: number;
}

/** `readRemote`: the machine that is connected now; null when there is none. */
export function createRelayedFiles(
  readRemote: () => Promise<RemoteServer | null>,
  now: () => number = Date.now,
): RelayedFiles {
  /** The oldest first. */
  const links = new Map<string, Link>();

  function linkOf(url: string): Link | undefined {
    const link = links.get(url);
    return link !== undefined && now() < link.until ? link : undefined;
  }

  function noteLink(clientId: string, remoteUrl: string, url: string): void {
    if (!linkForm.test(url)) return;
    for (const [known, { until }] of links) {
      if (now() < until && links.size < maxLinks) break;
      links.delete(known);
    }
    links.set(url, { clientId, remoteUrl, until: now() + linkLifetimeMs });
  }

  return {
    noteLink,
    async linkToResult(clientId, id) {
      const remote = await readRemote();
      if (remote === null) return null;
      const answer = await ask(remote, `/results/${encodeURIComponent(id)}/link`, {
        method: 'POST',
        headers: { authorization: `Bearer ${remote.token}`, 'content-type': 'application/json' },
      });
      if (answer.statusCode !== 200) throw refusalOf(answer, remote);
      const link = parse(resultLink, JSON.parse(await text(answer)), 'the link to a result');
      noteLink(clientId, remote.url, link.url);
      return link;
    },
    ownerOf: (url) => linkOf(url)?.clientId ?? null,
    async open({ url, isHead, headers }) {
      const [link, remote] = [linkOf(url), await readRemote()];
      if (link === undefined || remote === null || link.remoteUrl !== remote.url) throw notValid();
      const answer = await ask(remote, url, {
        method: isHead ? 'HEAD' : 'GET',
        headers: pick(headers, questionHeaders),
      });
      const status = answer.statusCode ?? 0;
      if (status === 304 || status === 416) {
        answer.resume();
        const kept = pick(answer.headers, status === 304 ? ['etag'] : ['content-range']);
        return { status, headers: kept, body: answer };
      }
      if (status !== 200 && status !== 206) throw refusalOf(answer, remote);
      const kept = pick(answer.headers, answerHeaders);
      // A page would be one of this server to a browser.
      if (!videoTypes.includes(kept['content-type'])) throw refusalOf(answer, remote);
      return { status, headers: kept, body: answer };
    },
  };
}

interface Question {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
}

/** Asks over a connection of its own that trusts the pinned certificate only. */
async function ask(remote: RemoteServer, path: string, { method, headers }: Question): Promise<IncomingMessage> {
  try {
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { method, headers, agent: false, ...pinnedTls(remote.certificate) };
      const question = request(new URL(path, remote.url), options, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      const timer = setTimeout(() => question.destroy(new Error('it did not answer in time')), answerTimeoutMs);
      question.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      question.end(method === 'POST' ? '{}' : '');
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EditError(
      'connection-lost',
      `The machine ${hostOf(remote)}, which has the video, cannot be used: ${reason}`,
      {
        hint: 'Start the server there.',
        cause: error,
      },
    );
  }
}

/** Drops the answer's body. */
function refusalOf(answer: IncomingMessage, remote: RemoteServer): EditError {
  answer.destroy();
  const status = answer.statusCode ?? 0;
  if (status === 401) return notValid();
  if (status === 404) return new EditError('job-missing', `The machine ${hostOf(remote)} does not have it any more.`);
  return new EditError(
    'connection-lost',
    `The machine ${hostOf(remote)} answered with status ${status}, and no video.`,
  );
}

function notValid(): EditError {
  return new EditError('not-paired', 'The link is not valid, or not any more.', { hint: 'Ask for a new one.' });
}

function hostOf({ url }: RemoteServer): string {
  return new URL(url).host;
}

function pick(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
