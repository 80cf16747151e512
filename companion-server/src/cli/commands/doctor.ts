// `doctor`: what is wrong on this machine, and what to do about it.

import { companionPorts } from '../../../../protocol/ports.ts';
import { cacheDirOf, dataDirOf, readConfig } from '../../app/config.ts';
import { runChecks, type KnownClient } from '../../doctor/run-checks.ts';
import { EditError } from '../../errors.ts';
import type { Check } from '../../../../protocol/diagnostics.ts';
import { version } from '../../app/version.ts';
import { defineCommand } from '../command.ts';
import { readPairings } from './pair.ts';
import { findServer, type ServerFile } from '../server-file.ts';

export const doctorCommand = defineCommand({
  name: 'doctor',
  usage: '[options]',
  summary: 'Examine this machine and the companion server.',
  options: {
    port: {
      kind: 'number',
      placeholder: 'N',
      help: `Port to look at. Default: that of the running server, else ${companionPorts.join(', ')}.`,
    },
    json: { kind: 'flag', help: 'Print one JSON object.' },
  },
  notes: [
    'Looks at the port and who uses it, the versions of the server and of the panels that have connected, Node.js, ffmpeg, the panel in Premiere where the installer of Adobe is there, the room on the disks, the models, and every device: a small network runs on it and must give the numbers of the CPU.',
    'Each line is ok, a problem with what to do, or unknown. The exit code is 1 when there is a problem, else 0.',
  ],
  async run({ values, positionals }, context) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `doctor takes no argument, got '${positionals[0]}'.`);
    }
    const { env, stdout } = context;
    const server = await findServer(dataDirOf(env));
    const facts = {
      version,
      dataDir: dataDirOf(env),
      cacheDir: cacheDirOf(env),
      models: (await readConfig({}, env)).models,
      ports: values.port !== undefined ? [values.port] : server === null ? companionPorts : [server.port],
      isInServer: false,
    };
    const checks = await runChecks(facts, await findClients(server));
    const isWell = checks.every(({ status }) => status !== 'problem');
    stdout.write(values.json ? `${JSON.stringify({ isWell, checks })}\n` : formatChecks(checks));
    if (!isWell) context.setExitCode(1);
  },
});

/** Null when no server runs. */
async function findClients(server: ServerFile | null): Promise<readonly KnownClient[] | null> {
  if (server === null) return null;
  try {
    return await readPairings(server);
  } catch (error) {
    if (error instanceof EditError && error.code === 'connection-lost') return null;
    throw error;
  }
}

function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, detail, advice }) => [
    `${status.padEnd(7)}  ${name.padEnd(width)}  ${detail}`,
    ...(advice === null ? [] : [`${' '.repeat(width + 11)}-> ${advice}`]),
  ]);
  return `${lines.join('\n')}\n`;
}
