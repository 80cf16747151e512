// The archive for Linux in a Debian without Node, as a user who is no administrator: from the download to the first edit of a
// sample clip, a restart of the machine, an update, and the end, after which nothing is left.
//
//   npm run test:release:linux [-- --archive FILE] [--root DIR] [--quick]
//
// Needs root, debootstrap, util-linux and iproute2. Without --archive the archive is made first. --quick: edits of few steps.

import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createChecks, must } from './checks.ts';
import { startDebian, type CommandEnd, type Machine } from './debian-machine.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const editTimeoutMs = 300_000;
/** From the download to the first edit, on a machine of two processors. */
const firstEditSeconds = 180;
const stopSeconds = 3;

const { values } = parseArgs({
  options: {
    archive: { type: 'string' },
    quick: { type: 'boolean', default: false },
    root: { type: 'string', default: path.join(repository, '.cache/release/debian') },
  },
});

function makeArchive(): string {
  execFileSync('npm', ['run', '--silent', 'release', '--', '--target', 'linux-x64'], {
    cwd: repository,
    stdio: 'inherit',
  });
  return path.join(repository, 'dist', 'release', `tokenflow-${version}-linux-x64.tar.gz`);
}

/** The command must end well. */
function expectEnd(machine: Machine, command: string, timeoutMs?: number): CommandEnd {
  const end = machine.run(command, timeoutMs);
  must(end.exitCode === 0, `${command} ended with ${end.exitCode ?? 'a signal'}: ${end.output}`);
  return end;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

/** Everything of the system but the user's folder, /proc and files of devices. */
function systemFiles(root: string): string[] {
  return readdirSync(root)
    .filter((name) => !['home', 'proc', 'dev', 'sys'].includes(name))
    .flatMap((name) => filesBelow(path.join(root, name)).map((file) => `${name}/${file}`));
}

interface Status {
  readonly isRunning: boolean;
  readonly port: number;
  readonly version: string;
}

function status(machine: Machine): Status {
  return JSON.parse(machine.run('.local/bin/tokenflow status --json').output) as Status;
}

/** The command of a line such as `Exec=...`, as sh takes it. */
function commandIn(file: string, key: string, fields: Readonly<Record<string, string>> = {}): string {
  const line = new RegExp(`^${key}=(.*)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  must(line !== '', `${file} has no ${key}=.`);
  return Object.entries(fields).reduce((text, [field, value]) => text.replace(field, value), line);
}

async function test(machine: Machine, archive: string): Promise<void> {
  const checks = createChecks();
  const step: typeof checks.step = (name, run) => checks.step(name, run);
  const homeHere = path.join(machine.root, machine.home);
  const inHome = (name: string): string => path.join(homeHere, name);
  const systemBefore = systemFiles(machine.root);
  const tokenflow = '.local/bin/tokenflow';

  mkdirSync(inHome('Downloads'));
  copyFileSync(archive, inHome(`Downloads/${path.basename(archive)}`));
  copyFileSync(path.join(repository, 'models/demo/samples/ball-grass.mp4'), inHome('ball.mp4'));
  for (const name of ['Downloads', `Downloads/${path.basename(archive)}`, 'ball.mp4'])
    chownSync(inHome(name), 1000, 1000);
  const homeBefore = filesBelow(homeHere);

  await step('the machine has no Node and no ffmpeg', () => {
    must(machine.run('command -v node || command -v ffmpeg').exitCode !== 0, 'They are there.');
  });
  await step('the archive is unpacked', () => expectEnd(machine, `cd Downloads && tar -xzf ${path.basename(archive)}`));
  await step('a double click installs, starts, and says where the panel is', () => {
    const { output } = expectEnd(machine, './Downloads/TokenFlow/tokenflow');
    must(output.includes('TokenFlow is installed'), output);
    must(/http:\/\/127\.0\.0\.1:\d+\//.test(output), output);
  });
  const { port } = await step('the server answers', () => {
    const found = status(machine);
    must(found.isRunning && found.version === version, JSON.stringify(found));
    return found;
  });
  const editCommand = (out: string): string =>
    `${tokenflow} edit ball.mp4 --prompt "a blue ball on grass" --source-prompt "a red ball on grass" --out ${out}${values.quick ? ' --steps 4' : ''} --server http://127.0.0.1:${port}`;
  await step('a sample clip is edited', () => expectEnd(machine, editCommand('blue.mp4'), editTimeoutMs));
  const first = checks.seconds();
  await step(`the first edit was there ${first.toFixed(0)} s and 3 commands after the download`, () => {
    must(first < firstEditSeconds, `More than ${firstEditSeconds} s.`);
  });
  await step('the edit has every frame, as the ffprobe of the archive counts them', () => {
    const probe = `.local/lib/tokenflow/versions/*/runtime/ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0`;
    const counts = ['ball.mp4', 'blue.mp4'].map((name) => expectEnd(machine, `${probe} ${name}`).output.trim());
    must(counts[0] !== '' && counts[0] === counts[1], counts.join(' and '));
  });
  await step('the unpacked folder can be deleted', () => {
    expectEnd(machine, 'rm -r Downloads/TokenFlow');
    must(status(machine).isRunning, 'The server ended.');
  });

  await step('the machine loses its power during an edit', async () => {
    const started = machine.run(
      `${editCommand('second.mp4')} >edit.log 2>&1 & until grep -qs step edit.log; do sleep 0.2; done`,
    );
    must(started.exitCode === 0, started.output);
    await machine.reboot();
    must(!status(machine).isRunning, 'The server survived.');
  });
  await step("the login item starts the server, and the edit is among the server's jobs", () => {
    expectEnd(machine, commandIn(inHome('.config/autostart/tokenflow.desktop'), 'Exec').replace(' --no-wait', ''));
    must(status(machine).isRunning, 'The server does not run.');
    const { output } = expectEnd(machine, `${tokenflow} jobs --json`);
    must(output.includes('a blue ball on grass'), output);
  });
  await step(`stop takes less than ${stopSeconds} s`, () => {
    const { seconds: taken } = expectEnd(machine, `${tokenflow} stop`);
    must(taken < stopSeconds, `It took ${taken.toFixed(1)} s.`);
    must(!status(machine).isRunning, 'The server runs.');
  });
  await step('tokenflow://start starts the server, by the program that the desktop knows', () => {
    const list = readFileSync(inHome('.config/mimeapps.list'), 'utf8');
    const desktopFile = /^x-scheme-handler\/tokenflow=(.*)$/m.exec(list)?.[1] ?? '';
    const file = inHome(`.local/share/applications/${desktopFile}`);
    expectEnd(machine, commandIn(file, 'Exec', { '%u': 'tokenflow://start' }));
    must(status(machine).isRunning, 'The server does not run.');
  });
  await step('systemd would start the same program', () => {
    expectEnd(machine, `${tokenflow} stop`);
    mkdirSync(path.join(machine.root, 'run/systemd/system'), { recursive: true });
    expectEnd(machine, '.local/lib/tokenflow/tokenflow install');
    rmSync(path.join(machine.root, 'run/systemd'), { recursive: true });
    expectEnd(machine, `${tokenflow} stop`);
    const unit = inHome('.config/systemd/user/default.target.wants/tokenflow.service');
    const command = commandIn(unit.replace('default.target.wants/', ''), 'ExecStart');
    must(readdirSync(path.dirname(unit)).includes('tokenflow.service'), 'The unit is not enabled.');
    expectEnd(machine, `(${command} >/dev/null 2>&1 &) ; until ${tokenflow} status; do sleep 0.2; done`);
  });
  await step('an update replaces the program and keeps jobs', () => {
    const [before] = readdirSync(inHome('.local/lib/tokenflow/versions'));
    expectEnd(machine, `${tokenflow} update Downloads/${path.basename(archive)}`);
    const after = readdirSync(inHome('.local/lib/tokenflow/versions'));
    must(after.length === 1 && after[0] !== before, `${before ?? 'nothing'} became ${after.join(', ')}.`);
    const { output } = expectEnd(machine, `${tokenflow} jobs --json`);
    must(output.includes('a blue ball on grass'), output);
  });
  await step('a damaged archive changes nothing', () => {
    const before = readFileSync(inHome('.local/lib/tokenflow/current'), 'utf8');
    const broken = `head -c 50000000 Downloads/${path.basename(archive)} > broken.tar.gz; ${tokenflow} update broken.tar.gz`;
    const { exitCode, output } = machine.run(broken);
    must(exitCode === 2 && output.includes('cannot be unpacked'), output);
    must(readFileSync(inHome('.local/lib/tokenflow/current'), 'utf8') === before, 'Another version is in use.');
    must(readdirSync(inHome('.local/lib/tokenflow/versions')).length === 1, 'A part of it is left.');
  });
  await step('after uninstalling nothing is left but what the user has made', () => {
    expectEnd(machine, `${tokenflow} uninstall --yes`);
    expectEnd(machine, 'rm -f blue.mp4 edit.log broken.tar.gz .second.mp4.*');
    const left = filesBelow(homeHere).filter((file) => !homeBefore.includes(file));
    const isResult = (file: string): boolean =>
      '.local/share/tokenflow/results'.startsWith(file) || file.startsWith('.local/share/tokenflow/results/');
    must(left.every(isResult), `Left: ${left.join(', ')}`);
    must(
      JSON.stringify(systemFiles(machine.root)) === JSON.stringify(systemBefore),
      'Files outside of the home folder differ.',
    );
  });
}

const archive = path.resolve(values.archive ?? makeArchive());
const machine = await startDebian(path.resolve(values.root));
try {
  await test(machine, archive);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await machine.close();
}
