// The documents say what the program does: every example is parsed, every --help is compared.

import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { allCommands } from '../../companion-server/src/cli/all-commands.ts';
import { formatCommandHelp } from '../../companion-server/src/cli/help.ts';
import { parseClientMessage } from '../../protocol/messages/client-messages.ts';
import { chunkBytes, maxControlBytes, windowBytes } from '../../protocol/limits.ts';
import { parseServerMessage } from '../../protocol/messages/server-messages.ts';
import { protocolVersion, socketPath, subprotocol } from '../../protocol/version.ts';

const readDocument = (name: string): Promise<string> =>
  readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

/** Heading and example of every message in a part of docs/protocol.md. */
function examplesOf(part: string): (readonly [string, string])[] {
  return [...part.matchAll(/^### (\S+)\n[^#]*?```json\n(.*?)\n```/gms)].map(([, name = '', example = '']) => [
    name,
    example,
  ]);
}

const protocolDocument = await readDocument('protocol.md');
const [beforeServer = '', serverPart = ''] = protocolDocument.split('## Messages of the server');
const clientPart = beforeServer.split('## Messages of the client')[1] ?? '';

/** The types that a parser knows, from its own refusal. */
function typesOf(parse: (text: string) => unknown): string[] {
  try {
    parse('{}');
  } catch (error) {
    const [, list = ''] = /must be one of (.*)\.$/.exec((error as Error).message) ?? [];
    return list.split(', ');
  }
  throw new Error('The parser accepted an empty object.');
}

describe.each([
  ['client', clientPart, parseClientMessage],
  ['server', serverPart, parseServerMessage],
] as const)('docs/protocol.md on the messages of the %s', (_side, part, parse) => {
  const examples = examplesOf(part);

  test.each(examples)('%s has an example that is read without loss', (name, example) => {
    expect(parse(example)).toEqual(JSON.parse(example));
    expect(JSON.parse(example)).toMatchObject({ type: name });
  });

  test('has every message', () => {
    expect(examples.map(([name]) => name).sort()).toEqual(typesOf(parse).sort());
  });
});

test('docs/protocol.md has the constants of protocol/', () => {
  for (const text of [
    `${socketPath}\`, subprotocol \`${subprotocol}\``,
    `"protocol": ${protocolVersion}`,
    `${maxControlBytes / 1024} KiB for a control message`,
    `${chunkBytes / 1024} KiB of media per chunk`,
    `${windowBytes / 1024 ** 2} MiB`,
  ]) {
    expect(protocolDocument).toContain(text);
  }
});

test.each(allCommands.filter(({ name }) => name !== 'demo'))('docs/cli.md has the --help of $name', async (command) => {
  const document = await readDocument('cli.md');
  expect(document).toContain(`\`\`\`text\n${formatCommandHelp(command)}\`\`\``);
});
