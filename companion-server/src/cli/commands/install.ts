// `open`, `install`, `uninstall`, `update`: the program in its user's own folders.

import { homedir } from 'node:os';
import path from 'node:path';
import { cacheDirOf, dataDirOf, type Environment } from '../../app/config.ts';
import { CanceledError, EditError } from '../../errors.ts';
import { installRelease, thisMachine, uninstallRelease } from '../../installation/install.ts';
import { placesOf, programIn } from '../../installation/places.ts';
import { copyRelease, installedRelease, unpackRelease } from '../../installation/program-files.ts';
import { removeUserFiles } from '../../installation/user-files.ts';
import { ownRelease, type Release } from '../../release.ts';
import { findServer, stopServer } from '../background-server.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { ensureServer, openPanel, ownProgram, refuseArguments } from './start.ts';
import { typed } from '../../typed-command.ts';

export const openCommand = defineCommand({
  name: 'open',
  usage: '',
  summary:
    'Open the panel in the browser; starts the server, and from a downloaded archive installs the program first.',
  options: {},
  notes: ['This is what a double click does.'],
  async run({ positionals }, context) {
    refuseArguments('open', positionals);
    const own = ownRelease();
    const installed = own === null ? null : await installIfNeeded(own, context);
    const program = installed === null ? ownProgram() : programIn(installed.folder);
    await ensureServer(context, program);
    await openPanel(context);
  },
});

/** The version that is in use then. */
async function installIfNeeded(own: Release, context: CommandContext): Promise<Release> {
  const places = placesOf(context.env);
  const installed = await installedRelease(places);
  const isInPlace = path.dirname(own.folder) === places.versionsDir;
  if (isInPlace || installed?.version === own.version) return installed ?? own;
  return install(own, context);
}

export const installCommand = defineCommand({
  name: 'install',
  usage: '',
  summary: "Install the program of a downloaded archive into this user's own folders.",
  options: {},
  notes: [
    "Needs no administrator. The server starts at every login from then on; addresses tokenflow:// belong to the program; the panel is installed in Premiere where Adobe's installer is found.",
    'A version that is installed already is replaced; clips, edits, models and pairings stay.',
  ],
  async run({ positionals }, context) {
    refuseArguments('install', positionals);
    const installed = await install(requireRelease('install'), context);
    await ensureServer(context, programIn(installed.folder));
    context.stdout.write('The companion server runs.\n');
  },
});

export const updateCommand = defineCommand({
  name: 'update',
  usage: 'ARCHIVE',
  summary: 'Replace the installed program by the one of a downloaded archive.',
  options: {},
  notes: ['Nothing is downloaded. When anything fails before the exchange, the installed version stays in use.'],
  async run({ positionals }, context) {
    const [archive, more] = positionals;
    if (archive === undefined || more !== undefined) {
      throw new EditError('invalid-request', `update takes one archive, got ${positionals.length} arguments.`);
    }
    const { target } = requireRelease('update');
    const unpacked = await unpackRelease(path.resolve(archive), target, placesOf(context.env));
    const installed = await install(unpacked, context);
    await ensureServer(context, programIn(installed.folder));
    context.stdout.write('The companion server runs.\n');
  },
});

export const uninstallCommand = defineCommand({
  name: 'uninstall',
  usage: '[--yes]',
  summary: 'Remove the program with everything that it has kept, except finished edits.',
  options: { yes: { kind: 'flag', help: 'Do not ask.' } },
  notes: [
    'Finished edits in the data folder are moved to its folder results. Edits beside your projects and clips are not touched.',
    'Folders that TOKENFLOW_DATA or TOKENFLOW_CACHE name are not removed.',
  ],
  async run({ values, positionals }, context) {
    refuseArguments('uninstall', positionals);
    requireRelease('uninstall');
    const { env, stdout } = context;
    if (!values.yes) await confirm(context);
    const running = await findServer(env);
    if (running !== null) await stopServer(running);
    const left = await uninstallRelease(placesOf(env), thisMachine());
    const named = ['TOKENFLOW_DATA', 'TOKENFLOW_CACHE'].filter((name) => (env[name] ?? '') !== '');
    const folders = { dataDir: dataDirOf(env), cacheDir: cacheDirOf(env) };
    const results = named.length > 0 ? null : await removeUserFiles(folders, homedir());
    const lines = [
      ...left,
      ...named.map((name) => `${name} names ${env[name] ?? ''}, which was not removed.`),
      ...(results === null ? [] : [`Your finished edits are in ${results}.`]),
      'TokenFlow is uninstalled.',
    ];
    stdout.write(`${lines.join('\n')}\n`);
  },
});

async function install(release: Release, context: CommandContext): Promise<Release> {
  const { env, stdout } = context;
  const places = placesOf(env);
  stdout.write(`Installing TokenFlow ${release.version} into ${places.programDir} ...\n`);
  const copied = await copyRelease(release, places);
  // It uses files of the version that it replaces.
  await stopIfRunning(env);
  const leftOut = await installRelease(copied, places, thisMachine());
  stdout.write(['TokenFlow is installed, and starts when you log in.', ...leftOut, ''].join('\n'));
  return copied;
}

async function stopIfRunning(env: Environment): Promise<void> {
  const running = await findServer(env);
  if (running !== null) await stopServer(running);
}

async function confirm({ ask }: CommandContext): Promise<void> {
  if (ask === undefined) {
    throw new EditError('invalid-request', 'uninstall asks before it removes anything, and there is no terminal.', {
      hint: 'Say --yes.',
    });
  }
  const answer = await ask('Remove TokenFlow with its clips, models and settings? Finished edits stay. (yes/no) ');
  if (!/^y(es)?$/i.test(answer.trim())) throw new CanceledError({ kept: 'Nothing was removed.' });
}

function requireRelease(command: string): Release {
  const own = ownRelease();
  if (own !== null) return own;
  throw new EditError('invalid-request', `${command} is for a downloaded archive; this program runs from its source.`, {
    hint: `Here ${typed('start')} starts the server. npm run release makes an archive.`,
  });
}
