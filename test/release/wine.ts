// The archive for Windows under Wine, which shows the program a Windows without being one: starting, editing, ending, and what it
// leaves. It cannot show DirectML, WebGPU, how Windows locks files, nor what SmartScreen says.
//
//   npm run test:release:wine [-- --archive FILE] [--short]
//
// Needs wine. Without --archive the archive is made first. --short: edits of half a second, in few steps.

import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readZip } from '../../companion-server/src/archives/zip.ts';
import { nodePlatform } from '../../companion-server/src/client/node-platform.ts';
import { createClient } from '../../protocol/client/client.ts';
import { commandTiming } from '../../protocol/client/timing.ts';
import { createChecks, must } from './checks.ts';
import type { CommandEnd } from './debian-machine.ts';
import { startWindows, type WindowsMachine } from './wine-machine.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const editTimeoutMs = 300_000;
const stopSeconds = 3;
const clientName = 'a client from outside';
const runKey = 'HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run';
const schemeKey = 'HKCU\\Software\\Classes\\tokenflow';

const { values } = parseArgs({
  options: { archive: { type: 'string' }, short: { type: 'boolean', default: false } },
});

function makeArchive(): string {
  execFileSync('npm', ['run', '--silent', 'release', '--', '--target', 'win-x64'], {
    cwd: repository,
    stdio: 'inherit',
  });
  return path.join(repository, 'dist', 'release', `tokenflow-${version}-win-x64.zip`);
}

function unpack(archive: string, folder: string): void {
  for (const { name, data } of readZip(readFileSync(archive))) {
    const file = path.join(folder, ...name.split('/'));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, data);
  }
}

/** Waits until `isSo`, at most as long as an edit may take. */
async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  seen: () => string = () => '',
): Promise<void> {
  const end = Date.now() + editTimeoutMs;
  while (!(await isSo())) {
    must(Date.now() < end, `${what} did not come. ${seen()}`);
    await delay(200);
  }
}

/** Everything that an installation or a run of the program could have left in the user's folder. */
function filesOf({ home }: WindowsMachine): string[] {
  const folder = path.join(home, 'AppData');
  // With the kinds of entries, links of Wine to folders outside are not followed.
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => /tokenflow/i.test(name))
    .sort();
}

async function test(machine: WindowsMachine, archive: string): Promise<void> {
  const checks = createChecks();
  const step: typeof checks.step = (name, run) => checks.step(name, run);
  const program = path.join(machine.home, 'AppData', 'Local', 'Programs', 'TokenFlow');
  const windowsProgram = `${machine.windowsHome}\\AppData\\Local\\Programs\\TokenFlow`;
  const data = path.join(machine.home, 'AppData', 'Local', 'tokenflow');
  const tokenflow = (...args: string[]): string[] => ['cmd', '/d', '/c', 'call', 'tokenflow', ...args];
  const expectEnd = (command: readonly string[], timeoutMs?: number): CommandEnd => {
    const end = machine.run(command, timeoutMs);
    must(end.exitCode === 0, `${command.join(' ')} ended with ${end.exitCode ?? 'a signal'}: ${end.output}`);
    return end;
  };
  const status = (): { readonly isRunning: boolean; readonly port: number } =>
    JSON.parse(machine.run(tokenflow('status', '--json')).output) as { isRunning: boolean; port: number };
  const length = values.short ? ['--steps', '4', '--end', '0.5'] : [];
  const prompts = ['--prompt', 'a blue ball on grass', '--source-prompt', 'a red ball on grass'];
  const editArguments = (out: string, port: number): string[] =>
    tokenflow(
      ...['edit', 'Clips äöü/ball red.mp4', ...prompts, '--out', out, ...length],
      ...['--server', `http://127.0.0.1:${port}`],
    );

  // Another user's folder, from which this user starts the program.
  const download = path.join(machine.home, '..', 'Zweite Person', 'Downloads (neu)');
  const windowsDownload = 'C:\\users\\Zweite Person\\Downloads (neu)';
  mkdirSync(path.join(machine.home, 'Clips äöü'));
  copyFileSync(
    path.join(repository, 'models/demo/samples/ball-grass.mp4'),
    path.join(machine.home, 'Clips äöü', 'ball red.mp4'),
  );

  await step('the archive is unpacked in the folder of another user', () => unpack(archive, download));
  await step('the script installs and starts the program', () => {
    const { output } = expectEnd([
      'cmd',
      '/d',
      '/c',
      'call',
      `${windowsDownload}\\TokenFlow\\TokenFlow.cmd`,
      'install',
    ]);
    must(output.includes('TokenFlow is installed') && output.includes('The companion server runs.'), output);
  });
  const { port } = await step('the server answers, and can be reached from outside of Wine', async () => {
    const found = status();
    must(found.isRunning, 'It does not run.');
    const answer = await fetch(`http://127.0.0.1:${found.port}/version`);
    must(((await answer.json()) as { version: string }).version === version, 'Another version answers.');
    return found;
  });
  await step('a sample clip is edited over the socket, paths with spaces and umlauts', () => {
    expectEnd(editArguments('Ergebnis ü.mp4', port), editTimeoutMs);
    must(readFileSync(path.join(machine.home, 'Ergebnis ü.mp4')).length > 1_000, 'The result is empty.');
  });
  const first = checks.seconds();
  // Wine computes as fast as Linux does; test/release/linux.ts has the limit.
  await step(`the first edit was there ${first.toFixed(0)} s and 3 commands after the download`, () => undefined);
  await step('the ffprobe of the archive counts the same frames in both clips', () => {
    const [folder = ''] = readdirSync(path.join(program, 'versions'));
    const probe = [`${windowsProgram}\\versions\\${folder}\\runtime\\ffprobe.exe`, '-v', 'error', '-count_frames'];
    const count = (file: string): string =>
      expectEnd([...probe, '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', file]).output.trim();
    const [all, edited] = [Number(count('Clips äöü/ball red.mp4')), Number(count('Ergebnis ü.mp4'))];
    must(all > 0 && edited === (values.short ? all / 4 : all), `${all} and ${edited}`);
  });
  await step('the unpacked folder can be deleted while the server runs', () => {
    rmSync(download, { recursive: true });
    must(status().isRunning, 'The server ended.');
  });
  await step('a client pairs with a code that was made, and is in the list', async () => {
    const { output } = expectEnd(tokenflow('pair', '--json'));
    const code = /"code":"([0-9A-Z]{4}-[0-9A-Z]{4})"/.exec(output)?.[1] ?? '';
    must(code !== '', output);
    must((await pairWith(`http://127.0.0.1:${port}`, code)) !== null, 'The server gave no token.');
    const { output: list } = expectEnd(tokenflow('pair', '--list', '--json'));
    must(list.includes(clientName), list);
  });
  await step('the doctor finds Node, ffmpeg, ffprobe and the processor', () => {
    const { output } = machine.run(tokenflow('doctor', '--json'));
    const { checks: found } = JSON.parse(output) as {
      readonly checks: { name: string; status: string; detail: string }[];
    };
    must(!/npm (run|start|ci)/.test(output), `It names commands of a checkout: ${output}`);
    for (const [, name = ''] of output.matchAll(/\btokenflow ([a-z-]+)/g)) expectEnd(tokenflow(name, '--help'));
    for (const name of ['companion server', 'Node.js', 'ffmpeg', 'ffprobe', 'device cpu']) {
      const check = found.find((one) => one.name === name);
      must(check?.status === 'ok', `${name}: ${check?.detail ?? 'not examined'}`);
    }
  });
  await killAndResume();
  await step(`stop takes less than ${stopSeconds} s, and nothing of the program goes on`, async () => {
    const { seconds: taken } = expectEnd(tokenflow('stop'));
    // Under Wine the program needs about a second to start, more while the machine has other work.
    const { seconds: nothing } = expectEnd(tokenflow('--version'));
    must(
      taken - nothing < stopSeconds,
      `It took ${taken.toFixed(1)} s, ${nothing.toFixed(1)} s of them to start a program.`,
    );
    await until('The end of the server', () => machine.processes('main.mjs', 'serve').length === 0);
  });
  await step('the login item starts the server', async () => {
    const line = machine.registry(runKey, 'TokenFlow') ?? '';
    const command = wordsOf(line);
    must(command.length === 4 && (command[0] ?? '').endsWith('\\node.exe'), `The login item is ${line}`);
    expectEnd(command);
    await until('The server', () => status().isRunning);
  });
  await step('tokenflow://start starts the server, by the program that Windows knows', async () => {
    expectEnd(tokenflow('stop'));
    must(machine.registry(schemeKey, 'URL Protocol') === '', 'The scheme is not marked as one.');
    const line = machine.registry(`${schemeKey}\\shell\\open\\command`, null) ?? '';
    expectEnd(wordsOf(line).map((word) => (word === '%1' ? 'tokenflow://start' : word)));
    await until('The server', () => status().isRunning);
  });
  await step('an update exchanges the program and keeps the jobs', () => {
    const jobs = expectEnd(tokenflow('jobs', '--json')).output;
    copyFileSync(archive, path.join(machine.home, 'new.zip'));
    expectEnd(tokenflow('update', 'new.zip'));
    must(expectEnd(tokenflow('jobs', '--json')).output === jobs, 'The jobs differ.');
    rmSync(path.join(machine.home, 'new.zip'));
  });
  await step('after uninstalling nothing is left but finished edits', async () => {
    expectEnd(tokenflow('uninstall', '--yes'));
    await until('The end of the program', () => machine.processes('node.exe').length === 0);
    const isResult = (name: string): boolean => /^Local\/tokenflow(\/data(\/results(\/.*)?)?)?$/.test(name);
    await until('The removal of the program', () => !existsSync(program));
    const left = filesOf(machine).filter((name) => !isResult(name));
    must(left.length === 0, `Left: ${left.join(', ')}`);
    must(machine.registry(runKey, 'TokenFlow') === null, 'The login item is still there.');
    must(machine.registry(schemeKey, 'URL Protocol') === null, 'The scheme is still there.');
  });

  async function killAndResume(): Promise<void> {
    await step('the server is killed in the middle of an edit', async () => {
      // The command line would wait for the server to come back, and go on.
      spawn('wine', editArguments('second.mp4', port), {
        cwd: machine.home,
        env: machine.env,
        stdio: 'ignore',
      }).unref();
      await until('The work of an edit', () => hasWork(data));
      for (const name of ['edit', 'serve'])
        machine.processes('main.mjs', name).forEach((id) => process.kill(id, 'SIGKILL'));
      await until('The end of the engine', () => machine.processes('engine.mjs').length === 0);
    });
    await step('the edit goes on after the next start', async () => {
      expectEnd(tokenflow('start'));
      let seen = '';
      await until(
        'The end of the edit',
        async () => {
          const jobs = await jobsOf(data);
          seen = JSON.stringify(jobs);
          // The command line removes a job whose result it has; of this one it was killed as well.
          return jobs.length === 1 && jobs.every(({ state }) => state === 'done');
        },
        () => seen,
      );
      const [job] = await jobsOf(data);
      must(job?.resumes === 1, `It was resumed ${job?.resumes ?? 0} times.`);
    });
  }
}

/** The token that the code is exchanged for. */
async function pairWith(server: string, code: string): Promise<string | null> {
  const kept: { token: string | null } = { token: null };
  const client = createClient({
    server,
    client: { name: clientName, version },
    tokens: {
      read: () => Promise.resolve(kept.token),
      write(next) {
        kept.token = next;
        return Promise.resolve();
      },
    },
    platform: nodePlatform,
    timing: commandTiming(0),
  });
  try {
    await client.pair(code);
  } finally {
    await client.stop();
  }
  return kept.token;
}

interface JobState {
  readonly state: string;
  readonly resumes: number;
}

/** Asked from outside of Wine, where each start of a program takes a second of the processor that the edit needs. */
async function jobsOf(data: string): Promise<readonly JobState[]> {
  const { url, token } = JSON.parse(readFileSync(path.join(data, 'data', 'server.json'), 'utf8')) as {
    readonly url: string;
    readonly token: string;
  };
  const answer = await fetch(new URL('/jobs', url), { headers: { authorization: `Bearer ${token}` } });
  const { jobs } = (await answer.json()) as { readonly jobs: readonly { readonly job: JobState }[] };
  return jobs.map(({ job }) => job);
}

/** The words of a command line, as Windows gives them to a program. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** Whether a job has a point from which it can go on. */
function hasWork(data: string): boolean {
  const names = readdirSync(path.join(data, 'data', 'jobs'), { recursive: true, encoding: 'utf8' });
  return names.some((name) => /\/work\/./.test(name));
}

const archive = path.resolve(values.archive ?? makeArchive());
const folder = mkdtempSync(path.join(os.tmpdir(), 'tokenflow-wine-'));
const machine = startWindows(folder);
try {
  await test(machine, archive);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  machine.close();
  rmSync(folder, { recursive: true, force: true });
}
