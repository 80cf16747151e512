// `pair`: the pairing code of the running server, and the list of paired clients.

import { hex, list, nullable, object, parse, text, type Infer } from '../../../../protocol/fields.ts';
import { EditError } from '../../errors.ts';
import { defineCommand, type Output } from '../command.ts';
import type { ServerFile } from '../server-file.ts';
import { askServer, findRunningServer } from '../server-requests.ts';
import { typed } from '../../typed-command.ts';

const listedPairing = object({
  clientId: hex(32),
  name: text({ max: 200 }),
  createdAt: text({ max: 30 }),
  seenAt: nullable(text({ max: 30 })),
  version: nullable(text({ max: 200 })),
});
type ListedPairing = Infer<typeof listedPairing>;

const pairingState = object({
  code: nullable(object({ code: text({ max: 20 }), expiresAt: text({ max: 30 }) })),
  pairings: list(listedPairing, 10_000),
});
type PairingState = Infer<typeof pairingState>;

export const pairCommand = defineCommand({
  name: 'pair',
  usage: '[options]',
  summary: 'Make a new pairing code of the running server, or see and end pairings.',
  options: {
    list: { kind: 'flag', help: 'List who is paired instead.' },
    revoke: {
      kind: 'text',
      placeholder: 'ID',
      help: 'End a pairing instead; the first digits of its id are enough.',
    },
    json: { kind: 'flag', help: 'Print one JSON object.' },
  },
  notes: [
    'A new code makes the one before void. It is for one panel and lasts ten minutes.',
    'A panel whose pairing has ended loses its connection at once; its jobs and clips stay on the server, where no other panel sees them.',
  ],
  async run({ values, positionals }, { env, stdout }) {
    if (positionals[0] !== undefined || (values.list && values.revoke !== undefined)) {
      throw new EditError('invalid-request', 'pair takes --list or --revoke ID, and no argument.');
    }
    const server = await findRunningServer(env);
    const ask = (path: string, method: 'GET' | 'POST'): Promise<PairingState> =>
      askServer(server, path, method, readState);
    if (values.revoke !== undefined) {
      const { clientId, name } = findPairing(values.revoke, (await ask('/pairing', 'GET')).pairings);
      await ask(`/pairing/${clientId}/revoke`, 'POST');
      print(stdout, values.json, { revoked: clientId }, `${name} (${clientId}) is not paired any more.\n`);
      return;
    }
    if (values.list) {
      const { pairings } = await ask('/pairing', 'GET');
      print(stdout, values.json, { pairings }, formatPairings(pairings));
      return;
    }
    const { code } = await ask('/pairing/code', 'POST');
    if (code === null) throw new EditError('internal', 'The server made no pairing code.');
    const until = new Date(code.expiresAt).toLocaleTimeString();
    const text = `Pairing code: ${code.code}\nFor one panel, until ${until}. The page shows it too: ${server.pageUrl}\n`;
    print(stdout, values.json, { ...code, pageUrl: server.pageUrl }, text);
  },
});

/** The clients that are paired with a server. Throws EditError 'connection-lost' when it does not answer. */
export async function readPairings(server: ServerFile): Promise<readonly ListedPairing[]> {
  return (await askServer(server, '/pairing', 'GET', readState)).pairings;
}

function print(stdout: Output, isJson: boolean, value: object, text: string): void {
  stdout.write(isJson ? `${JSON.stringify(value)}\n` : text);
}

function findPairing(start: string, pairings: readonly ListedPairing[]): ListedPairing {
  const found = pairings.filter(({ clientId }) => clientId.startsWith(start.toLowerCase()));
  const [first] = found;
  if (first !== undefined && found.length === 1 && start !== '') return first;
  const fault = found.length === 0 ? 'is of no pairing' : `is of ${found.length} pairings`;
  throw new EditError('invalid-request', `The id '${start}' ${fault}.`, {
    hint: `See ${typed('pair --list')}.`,
  });
}

function formatPairings(pairings: readonly ListedPairing[]): string {
  if (pairings.length === 0) return 'Nobody is paired.\n';
  return pairings
    .map(({ clientId, name, seenAt, version }) => {
      const seen = seenAt === null ? 'never connected' : `last seen ${seenAt}, version ${version ?? 'unknown'}`;
      return `${clientId}  ${name} (${seen})\n`;
    })
    .join('');
}

function readState(answer: unknown): PairingState {
  return parse(pairingState, answer, 'answer');
}
