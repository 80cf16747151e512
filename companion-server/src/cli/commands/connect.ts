// `connect` and `disconnect`: whether another machine does the work of this server.

import { mkdir } from 'node:fs/promises';
import { companionPorts } from '../../../../protocol/ports.ts';
import { dataDirOf } from '../../app/config.ts';
import { version } from '../../app/version.ts';
import { pairPinned } from '../../client/pair-pinned.ts';
import { seeCertificate } from '../../client/pinned-socket.ts';
import { EditError } from '../../errors.ts';
import { readRemoteServer, removeRemoteServer, writeRemoteServer } from '../../relay/remote-server.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { typed } from '../../typed-command.ts';

/** Where a server listens for other machines unless --port says otherwise. */
const defaultRemotePort = (companionPorts.at(-1) ?? 0) + 1;

export const connectCommand = defineCommand({
  name: 'connect',
  usage: 'HOST[:PORT] [options]',
  summary: 'Let another machine do the work of this server.',
  options: {
    code: { kind: 'text', placeholder: 'CODE', help: 'The pairing code that is shown there. Default: asked for.' },
    fingerprint: {
      kind: 'text',
      placeholder: 'AB:CD:...',
      help: 'Fingerprint of the certificate, as it is shown there. Default: shown here, to be compared.',
    },
  },
  notes: [
    `Start the server there with ${typed('serve --listen ADDRESS')}. PORT is ${defaultRemotePort} unless that server was started with --port.`,
    'Panels still connect to the server on this machine, which passes their clips and edits on and their results back. It trusts only the certificate that you have compared. Panels follow when they connect the next time: restart this server to make them.',
  ],
  async run({ values, positionals }, context) {
    const [place, ...rest] = positionals;
    if (place === undefined || rest.length > 0) {
      throw new EditError('invalid-request', 'connect takes one argument: HOST or HOST:PORT.');
    }
    const { host, port } = readPlace(place);
    const { certificate, fingerprint } = await seeCertificate(host, port);
    await compare(fingerprint, values.fingerprint, context);
    const code = values.code ?? (await ask(context, 'Pairing code: ', '--code CODE'));
    const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const token = await pairPinned({ url, certificate, code, version });
    const dataDir = dataDirOf(context.env);
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await writeRemoteServer(dataDir, { url, certificate, token });
    context.stdout.write(`The machine ${host} does the work from the next connection of a panel on.\n`);
  },
});

export const disconnectCommand = defineCommand({
  name: 'disconnect',
  usage: '',
  summary: 'Let this machine do the work again.',
  options: {},
  notes: ['Panels follow when they connect the next time. Edits that run on the other machine go on there.'],
  async run({ positionals }, { env, stdout }) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `disconnect takes no argument, got '${positionals[0]}'.`);
    }
    const dataDir = dataDirOf(env);
    const remote = await readRemoteServer(dataDir);
    await removeRemoteServer(dataDir);
    stdout.write(remote === null ? 'No other machine was connected.\n' : 'This machine does the work again.\n');
  },
});

function readPlace(text: string): { readonly host: string; readonly port: number } {
  const url = URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : null;
  if (url === null || url.host === '' || url.pathname !== '/' || url.username !== '') {
    throw new EditError('invalid-request', `The argument must be HOST or HOST:PORT, got '${text}'.`);
  }
  const port = /:(\d+)$/.exec(text)?.[1];
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === undefined ? defaultRemotePort : Number(port),
  };
}

async function compare(seen: string, expected: string | undefined, context: CommandContext): Promise<void> {
  if (expected !== undefined) {
    if (expected.trim().toUpperCase() === seen) return;
    throw new EditError('not-paired', `The certificate there has another fingerprint: ${seen}.`, {
      hint: 'Do not connect: another machine may answer. Look at the fingerprint that the server there prints.',
    });
  }
  const question = `Fingerprint of the certificate there:\n${seen}\nDoes the server there print the same? [y/N] `;
  const answer = await ask(context, question, '--fingerprint AB:CD:...');
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new EditError('not-paired', 'The fingerprint was not confirmed. Nothing was sent to the other machine.');
}

async function ask({ ask: onTerminal }: CommandContext, question: string, option: string): Promise<string> {
  if (onTerminal !== undefined) return onTerminal(question);
  throw new EditError('invalid-request', 'There is no terminal to ask in.', { hint: `Give ${option}.` });
}
