// The command line as a real process, with a fake engine.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { programOf } from '../bundles.ts';
import type { Workspace } from './workspace.ts';

const entry = fileURLToPath(programOf('cli'));

export interface CliOptions {
  /** A file of fixtures/engines. Default: copying. */
  readonly engine?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface CliEnd {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliProcess {
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the output (both streams together) contains `text`. */
  said(text: string): Promise<void>;
  readonly ended: Promise<CliEnd>;
}

export function startCli(
  { cacheDir, dataDir, folder }: Workspace,
  args: readonly string[],
  { engine = 'copying', env = {} }: CliOptions = {},
): CliProcess {
  // A developer's browser stays closed.
  const allArgs = args[0] === 'serve' ? [...args, '--no-open'] : args;
  const child = spawn(process.execPath, [entry, ...allArgs], {
    cwd: folder,
    env: {
      ...process.env,
      TOKENFLOW_CACHE: cacheDir,
      TOKENFLOW_DATA: dataDir,
      // What is on the machine of the test is nobody's business.
      TOKENFLOW_LIBRARY: 'off',
      TEST_ENGINE: engine,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const hear = (): void => listeners.forEach((listener) => listener());
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    hear();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    hear();
  });
  const ended = once(child, 'close').then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    stdout,
    stderr,
  }));
  return {
    kill: (signal) => void child.kill(signal),
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!(stdout + stderr).includes(text)) return;
          listeners.delete(check);
          resolve();
        };
        listeners.add(check);
        check();
        void ended.then(() => reject(new Error(`The process ended without '${text}': ${stderr}`)));
      }),
  };
}

export function runCliProcess(
  workspace: Workspace,
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliEnd> {
  return startCli(workspace, args, options).ended;
}
