// What a subcommand is, and what it may use of the process that runs it.

import type { Config, Environment } from '../app/config.ts';
import type { Log } from '../app/log.ts';
import type { RunningServer } from '../app/server.ts';
import type { RunningWorker } from '../app/worker.ts';
import type { Options, ParsedArguments } from './options.ts';

/** A terminal or a file. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Characters per line of a terminal. */
  readonly columns: number;
}

export interface CommandContext {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  /** Aborted by Ctrl+C. A command then cleans up and throws CanceledError. */
  readonly signal: AbortSignal;
  /** Asks the user; absent when there is no terminal to answer in. */
  readonly ask?: (question: string) => Promise<string>;
  /** The exit code when the command has worked but its result is bad. */
  readonly setExitCode: (exitCode: number) => void;
  readonly startServer: (config: Config, log: Log) => Promise<RunningServer>;
  readonly startWorker: (config: Config, log: Log) => Promise<RunningWorker>;
}

export interface Command<Table extends Options = Options> {
  readonly name: string;
  /** What follows the name, for example `CLIP --prompt TEXT [options]`. */
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  readonly options: Table;
  /** Paragraphs below the options in --help. */
  readonly notes: readonly string[];
  /** Throws EditError or CanceledError; the runner turns them into text and exit code. */
  run(args: ParsedArguments<Table>, context: CommandContext): Promise<void>;
}

/** A command whose table types its values. */
export function defineCommand<const Table extends Options>(command: Command<Table>): Command {
  return command;
}
