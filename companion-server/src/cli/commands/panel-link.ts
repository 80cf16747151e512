// `panel-link`: an address that opens the panel in this user's browser, already paired.

import { object, parse, text } from '../../../../protocol/fields.ts';
import type { Environment } from '../../app/config.ts';
import { EditError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { openAddress } from '../../installation/open-address.ts';
import { askServer, findRunningServer } from '../server-requests.ts';
import { typed } from '../../typed-command.ts';

const linkAnswer = object({ path: text({ min: 1, max: 200 }), expiresAt: text({ max: 30 }) });

export interface PanelLink {
  /** For example `http://127.0.0.1:47860/#open=...`: good once, until `expiresAt`. Whoever opens it is paired. */
  readonly url: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** A fresh link of the running server of this user. Throws EditError 'connection-lost' when none runs. */
export async function panelLink(env: Environment): Promise<PanelLink> {
  const server = await findRunningServer(env);
  const { path, expiresAt } = await askServer(server, '/pairing/link', 'POST', (answer) =>
    parse(linkAnswer, answer, 'answer'),
  );
  return { url: new URL(path, server.url).href, expiresAt };
}

export const panelLinkCommand = defineCommand({
  name: 'panel-link',
  usage: '[options]',
  summary: 'Make a link that opens the panel of the running server in a browser, paired.',
  options: {
    open: { kind: 'flag', help: 'Open it in the browser as well.' },
    json: { kind: 'flag', help: 'Print one JSON object.' },
  },
  notes: [
    `The link is good once, for five minutes. Whoever opens it can use the server until that pairing is ended (${typed('pair --revoke ID')}), so give it to nobody.`,
  ],
  async run({ values, positionals }, { env, stdout }) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `panel-link takes no argument, got '${positionals[0]}'.`);
    }
    const link = await panelLink(env);
    const isOpened = values.open && (await openAddress(link.url, env));
    if (values.json) {
      stdout.write(`${JSON.stringify({ ...link, isOpened })}\n`);
      return;
    }
    const until = new Date(link.expiresAt).toLocaleTimeString();
    stdout.write(`${link.url}\nGood once, until ${until}.${isOpened ? ' The browser opens it.' : ''}\n`);
  },
});
