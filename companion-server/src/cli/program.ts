// The command line as a process: arguments, streams, signals and exit code.

import { startServer, type ServerDeps } from '../app/server.ts';
import { startWorker } from '../app/worker.ts';
import { askOnTerminal } from './ask.ts';
import type { Command, Output } from './command.ts';
import { interruptedExitCode } from './exit-codes.ts';
import { listenForInterruption } from './interruption.ts';
import { runCli } from './run.ts';

export interface Program extends Omit<ServerDeps, 'config' | 'log'> {
  readonly commands: readonly Command[];
}

/** How long what is still to be written may take once the command has ended. */
const lastWordsMs = 5_000;

/** Runs the command that this process was started with, and sets the exit code. */
export async function runProgram({ commands, ...parts }: Program): Promise<void> {
  const interruption = listenForInterruption();
  const exitCode = await runCli(process.argv.slice(2), commands, {
    stdout: toOutput(process.stdout),
    stderr: toOutput(process.stderr),
    env: process.env,
    signal: interruption.signal,
    ...(process.stdin.isTTY && process.stderr.isTTY
      ? { ask: (question: string) => askOnTerminal(question, interruption.signal) }
      : {}),
    startServer: (config, log) => startServer({ ...parts, config, log }),
    startWorker: (config, log) => startWorker({ engineEntry: parts.engineEntry, config, log }),
  });
  process.exitCode = exitCode === interruptedExitCode ? (interruption.exitCode() ?? exitCode) : exitCode;
  endSoon();
}

/**
 * A question to a disk that does not answer cannot be taken back, and would keep this process for ever: even `process.exit`
 * waits for the thread that asks. The process then ends by a signal, without its exit code.
 */
function endSoon(): void {
  const isSilent = () => process.stdout.writableLength + process.stderr.writableLength === 0;
  setTimeout(() => (isSilent() ? process.kill(process.pid, 'SIGKILL') : endSoon()), lastWordsMs).unref();
}

function toOutput(stream: NodeJS.WriteStream): Output {
  // A reader that has gone (`... | head`) wants no more: nothing is left to tell it.
  stream.on('error', () => undefined);
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      // A terminal may not know its width.
      return stream.columns > 0 ? stream.columns : 80;
    },
  };
}
