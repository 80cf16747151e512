// Who may talk to this server. It listens on this machine only, but every web page that a browser on this
// machine shows can reach it too: directly (then the browser names the page's Origin), or after its own
// domain name has been pointed at 127.0.0.1 (then the Host header names that domain).

const ownHostNames = ['127.0.0.1', 'localhost', '[::1]'];

/** Schemes of origins that no web page can have: panels inside Adobe's applications. */
const panelSchemes = ['uxp:', 'file:'];

/** Whether a Host header names this machine. */
export function isOwnHost(host: string | undefined): boolean {
  const name = host?.replace(/:\d+$/, '').toLowerCase();
  return name !== undefined && ownHostNames.includes(name);
}

/**
 * Whether an Origin header is harmless: none (not a browser), a page of this server itself, or a panel. A
 * page of another local server is as foreign as one from the internet; so is `null`, a page in a sandbox.
 */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  if (isOwnHost(host) && origin.toLowerCase() === `http://${host?.toLowerCase() ?? ''}`)
    return true;
  return panelSchemes.some((scheme) => origin.startsWith(`${scheme}//`));
}
