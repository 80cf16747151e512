// Where files are fetched from, and where the hub may send us: a fixed rule, so that no answer of a server makes
// this program call an address inside somebody's network.

import { EditError } from '../../errors.ts';

export interface Hub {
  /** Without a slash at the end. */
  readonly base: URL;
  /** Sent to `base` only. */
  readonly token: string | undefined;
}

const defaultBase = 'https://huggingface.co';

/** Hosts that hold Hugging Face's files, with everything below them. */
const storageHosts = ['huggingface.co', 'hf.co'];

/** The hub by HF_ENDPOINT and HF_TOKEN. Throws EditError 'invalid-request' for an address that is none. */
export function readHub(env: Readonly<Record<string, string | undefined>>): Hub {
  const text = emptyAsUndefined(env['HF_ENDPOINT']) ?? defaultBase;
  const base = URL.canParse(text) ? new URL(text) : undefined;
  if (base === undefined || !isAcceptable(base) || base.search !== '' || base.hash !== '') {
    throw new EditError(
      'invalid-request',
      `HF_ENDPOINT must be an https address without user, query or fragment, got '${text}'.`,
      { hint: `For example ${defaultBase}. Plain http is taken for this machine only.` },
    );
  }
  base.pathname = base.pathname.replace(/\/+$/, '');
  const token = emptyAsUndefined(env['HF_TOKEN']);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new EditError('invalid-request', 'HF_TOKEN must be letters, digits and signs without spaces.');
  }
  return { base, token };
}

export interface Repository {
  readonly repository: string;
  readonly revision: string;
}

/** The address of one file. */
export function fileUrl({ base }: Hub, { repository, revision }: Repository, path: string): URL {
  const parts = [...repository.split('/'), 'resolve', revision, ...path.split('/')];
  return below(base, parts.map(encodeURIComponent).join('/'));
}

/** The page where a repository's licence is read and accepted. */
export function repositoryPage({ base }: Hub, { repository }: Pick<Repository, 'repository'>): string {
  return below(base, repository).href;
}

/** The hub itself: its headers are believed, and it is sent the token. */
export function isAtHub({ base }: Hub, url: URL): boolean {
  return url.origin === base.origin;
}

/** Where a redirect leads. Throws EditError 'download-refused' when we do not go there. */
export function followRedirect(hub: Hub, from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw refused(`${from.host} redirects without a usable address.`);
  }
  const to = new URL(location, from);
  if (isAcceptable(to) && (isAtHub(hub, to) || isStorage(hub, to))) return to;
  throw refused(
    `${from.host} redirects to ${to.protocol}//${to.host}, which is neither the hub, a host below it, nor Hugging Face's storage.`,
  );
}

function isStorage({ base }: Hub, url: URL): boolean {
  // The hub of a test, which stores on another port of the same machine.
  if (isLoopback(url)) return isLoopback(base) && base.protocol === 'http:';
  if (url.port !== '') return false;
  return [base.hostname, ...storageHosts].some((host) => url.hostname === host || url.hostname.endsWith(`.${host}`));
}

function isAcceptable(url: URL): boolean {
  if (url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
}

function isLoopback({ hostname }: URL): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}

function below(base: URL, path: string): URL {
  return new URL(`${base.origin}${base.pathname.replace(/\/$/, '')}/${path}`);
}

function refused(message: string): EditError {
  return new EditError('download-refused', message, {
    hint: 'Nothing was sent there. Check HF_ENDPOINT and the network that you are in.',
  });
}

function emptyAsUndefined(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
