// Who may connect to this server. Every web page that a browser on this machine shows can reach it: directly (then the
// browser says so in Origin and Sec-Fetch-Site), or after its own domain name has been pointed at 127.0.0.1 (then the
// Host header names that domain). After this check a client still needs a token; the check alone gives no access.

import type { IncomingHttpHeaders } from 'node:http';

const ownHostNames = ['127.0.0.1', 'localhost', '[::1]'];

/** Schemes of origins that no web page can have: panels inside Adobe's applications. */
const panelSchemes = ['uxp:', 'file:'];

/** The values that a browser sends for a request that no other site has caused. */
const ownFetchSites = ['same-origin', 'none'];

export interface GuardOptions {
  /** Whether a name beside this machine's own is served: `--listen` has some. Default: none. */
  readonly isServedName?: (name: string) => boolean;
}

export interface GuardedRequest {
  readonly headers: IncomingHttpHeaders;
  /** Whether it came over TLS. */
  readonly isEncrypted: boolean;
}

/** Why a request is refused before anything else is checked, or undefined. Shared by HTTP and the upgrade. */
export function refusalReason(
  { headers, isEncrypted }: GuardedRequest,
  { isServedName = () => false }: GuardOptions = {},
): string | undefined {
  const { host, origin } = headers;
  const name = hostNameOf(host);
  if (name === undefined || !(ownHostNames.includes(name) || isServedName(name))) {
    return 'Only requests addressed to 127.0.0.1 or localhost are served.';
  }
  const scheme = isEncrypted ? 'https' : 'http';
  if (isPanelOrigin(origin)) return undefined;
  if (origin !== undefined && origin.toLowerCase() !== `${scheme}://${(host ?? '').toLowerCase()}`) {
    return 'Pages of other sites may not use this server.';
  }
  const fetchSite = headers['sec-fetch-site'];
  if (fetchSite !== undefined && !ownFetchSites.includes(fetchSite)) {
    return 'Pages of other sites may not use this server.';
  }
  return undefined;
}

/** The name in a Host header, without the port, in lower case; undefined when it is no such header. */
function hostNameOf(host: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(host?.toLowerCase() ?? '')?.[1];
}

function isPanelOrigin(origin: string | undefined): boolean {
  return panelSchemes.some((scheme) => origin?.startsWith(`${scheme}//`));
}
