// A Debian without Node, in a folder, that can be switched on and off: processes, network and /proc of its own. Needs root, and
// the programs debootstrap, unshare and nsenter of the machine that it runs on.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

export interface CommandEnd {
  readonly exitCode: number | null;
  /** Both streams. */
  readonly output: string;
  readonly seconds: number;
}

export interface Machine {
  /** The folder that is its `/`. */
  readonly root: string;
  /** Its user's folder, as the machine sees it. */
  readonly home: string;
  /** Runs a command of sh as the machine's user, with a fresh environment, in the user's folder. */
  run(command: string, timeoutMs?: number): CommandEnd;
  /** Ends every process at once, as a loss of power does, and begins anew with none. */
  reboot(): Promise<void>;
  /** Ends every process. The folder stays. */
  close(): Promise<void>;
}

const userId = 1000;
const home = '/home/jörg müller';
const suite = 'bookworm';

/** Makes the system in `root` when it is not there yet, with a user whose folder is empty, and switches it on. */
export async function startDebian(root: string): Promise<Machine> {
  if (!existsSync(path.join(root, 'etc', 'debian_version'))) {
    const made = spawnSync('debootstrap', ['--variant=minbase', suite, root, 'http://deb.debian.org/debian'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (made.status !== 0) throw new Error(`debootstrap failed with exit code ${made.status ?? 'unknown'}.`);
    appendFileSync(path.join(root, 'etc', 'passwd'), `jm:x:${userId}:${userId}::${home}:/bin/sh\n`);
  }
  const homeHere = path.join(root, home);
  rmSync(homeHere, { recursive: true, force: true });
  mkdirSync(homeHere, { recursive: true });
  chownSync(homeHere, userId, userId);
  let holder = await switchOn(root);
  const off = async (): Promise<void> => {
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
  };
  return {
    root,
    home,
    run(command, timeoutMs = 120_000) {
      const inside = ['chroot', `--userspec=${userId}:${userId}`, root, '/usr/bin/env', '-i'];
      const environment = [`HOME=${home}`, 'PATH=/usr/bin:/bin', 'LANG=C.UTF-8', 'USER=jm'];
      const script = `cd "$HOME" && { ${command}; }`;
      const args = [...enter(holder), ...inside, ...environment, '/bin/sh', '-c', script];
      const started = performance.now();
      const { status, stdout, stderr } = spawnSync('nsenter', args, { encoding: 'utf8', timeout: timeoutMs });
      return { exitCode: status, output: `${stdout}${stderr}`, seconds: (performance.now() - started) / 1_000 };
    },
    async reboot() {
      await off();
      holder = await switchOn(root);
    },
    close: off,
  };
}

/** A process that does nothing, first of its kind: when it ends, the kernel ends all others. */
async function switchOn(root: string): Promise<ChildProcess> {
  const boot = [`mount -t proc proc "$0/proc"`, 'ip link set lo up', 'echo on', 'while :; do sleep 1000; done'].join(
    ' && ',
  );
  const args = ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', boot, root];
  const holder = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [first] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as [unknown];
  if (String(first).trim() !== 'on')
    throw new Error('The machine could not be switched on: unshare failed (see above).');
  return holder;
}

/** Arguments of nsenter that lead into the namespaces of the holder's child, which is the first process there. */
function enter({ pid = 0 }: ChildProcess): string[] {
  const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  if (child === '') throw new Error('The machine is off.');
  return ['--target', child, '--net', '--mount', '--pid', '--'];
}
