// A Windows as Wine shows it to programs, in a folder of its own. Needs wine.

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { CommandEnd } from './debian-machine.ts';

const user = 'Jörg Müller';

export interface WindowsMachine {
  /** The user's folder, as this machine sees it. */
  readonly home: string;
  /** As Windows sees it. */
  readonly windowsHome: string;
  /** What `wine` needs to be told. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs a program with arguments, in the user's folder. */
  run(command: readonly string[], timeoutMs?: number): CommandEnd;
  /** A value of the registry; null when it is not there. `name` null: the key's own. */
  registry(key: string, name: string | null): string | null;
  /** Processes of the machine whose command line has every word; numbers of this machine. */
  processes(...words: string[]): number[];
  /** Ends every process. */
  close(): void;
}

/** Makes a machine in `folder`, which must be empty or not there. */
export function startWindows(folder: string): WindowsMachine {
  mkdirSync(path.join(folder, 'home'), { recursive: true });
  const env = {
    ...process.env,
    // Wine links folders of its user to those of ours.
    HOME: path.join(folder, 'home'),
    WINEPREFIX: path.join(folder, 'prefix'),
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree=;mshtml=',
    USER: user,
    // On the PATH of every user of Windows 10 and later.
    WINEPATH: `C:\\users\\${user}\\AppData\\Local\\Microsoft\\WindowsApps`,
    // Wine calls itself a Windows that Node no longer supports.
    NODE_SKIP_PLATFORM_CHECK: '1',
  };
  const drive = path.join(env.WINEPREFIX, 'drive_c');
  const home = path.join(drive, 'users', user);
  const outputFile = path.join(folder, 'output.txt');

  const run = (command: readonly string[], timeoutMs = 120_000): CommandEnd => {
    // Node writes into a file of Wine, not into a pipe.
    const output = openSync(outputFile, 'w');
    const started = performance.now();
    const { status } = spawnSync('wine', command, {
      cwd: readdirSync(drive).includes('users') ? home : folder,
      env,
      stdio: ['ignore', output, output],
      timeout: timeoutMs,
    });
    closeSync(output);
    const seconds = (performance.now() - started) / 1_000;
    return { exitCode: status, output: readFileSync(outputFile, 'utf8'), seconds };
  };

  execFileSync('wineboot', ['--init'], { env, cwd: folder, stdio: 'ignore' });
  execFileSync('wineserver', ['--wait'], { env });
  run(['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']);

  return {
    home,
    env,
    windowsHome: `C:\\users\\${user}`,
    run,
    registry(key, name) {
      // reg.exe prints in a code page; what is read here is what the registry has.
      const exported = path.join(folder, 'exported.reg');
      const { exitCode } = run(['reg', 'export', key, `Z:${exported.replaceAll('/', '\\')}`, '/y']);
      if (exitCode !== 0) return null;
      const start = name === null ? '@=' : `"${name}"=`;
      const line = readFileSync(exported, 'utf16le')
        .split(/\r?\n/)
        .find((one) => one.startsWith(start));
      return line === undefined ? null : (JSON.parse(line.slice(start.length)) as string);
    },
    processes(...words) {
      return readdirSync('/proc').flatMap((name) => {
        if (!/^\d+$/.test(name) || !belongsTo(name, env.WINEPREFIX)) return [];
        const line = textOf(`/proc/${name}/cmdline`);
        return words.every((word) => line.includes(word)) ? [Number(name)] : [];
      });
    },
    close() {
      spawnSync('wineserver', ['--kill'], { env });
    },
  };
}

function belongsTo(processId: string, prefix: string): boolean {
  return textOf(`/proc/${processId}/environ`).includes(`WINEPREFIX=${prefix}\0`) && isLive(processId);
}

function isLive(processId: string): boolean {
  try {
    return readlinkSync(`/proc/${processId}/exe`) !== '';
  } catch {
    return false;
  }
}

/** Empty for a process that has ended meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
