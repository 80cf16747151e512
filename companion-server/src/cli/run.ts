// Runs the command that the arguments name, and turns what it throws into text and an exit code.

import { errorCodes } from '../../../protocol/error-codes.ts';
import { wireErrorOf } from '../../../protocol/messages/wire-error.ts';
import { CanceledError, EditError } from '../errors.ts';
import { version } from '../app/version.ts';
import { toEditError } from '../wire-error.ts';
import type { Command, CommandContext, Output } from './command.ts';
import { interruptedExitCode } from './exit-codes.ts';
import { formatCommandHelp, formatProgramHelp } from './help.ts';
import { parseArguments } from './options.ts';
import { suggest } from './suggest.ts';

/** Returns the exit code. Nothing is thrown. */
export async function runCli(
  argv: readonly string[],
  commands: readonly Command[],
  context: Omit<CommandContext, 'setExitCode'>,
): Promise<number> {
  let exitCode = 0;
  try {
    await dispatch(argv, commands, { ...context, setExitCode: (code) => (exitCode = code) });
    return exitCode;
  } catch (error) {
    const isJson = argv.includes('--json');
    if (error instanceof CanceledError) {
      if (isJson) context.stdout.write(`${JSON.stringify({ type: 'canceled' })}\n`);
      else context.stderr.write(`Canceled. ${error.kept ?? 'Nothing is left behind.'}\n`);
      return interruptedExitCode;
    }
    const known = toEditError(error);
    if (isJson) printJsonError(known, context.stdout);
    else printError(known, context.stderr);
    return errorCodes[known.code].exitCode;
  }
}

async function dispatch(
  [name, ...args]: readonly string[],
  commands: readonly Command[],
  context: CommandContext,
): Promise<void> {
  if (name === undefined || name === '--help' || name === 'help') {
    context.stdout.write(formatProgramHelp(commands));
    return;
  }
  if (name === '--version') {
    context.stdout.write(`${version}\n`);
    return;
  }
  const command = commands.find((known) => known.name === name);
  if (command === undefined) throw unknownCommand(name, commands);
  if (args.includes('--help')) {
    context.stdout.write(formatCommandHelp(command));
    return;
  }
  await command.run(parseArguments(args, command.options), context);
}

function unknownCommand(name: string, commands: readonly Command[]): EditError {
  const known = commands.map((command) => command.name);
  const suggestion = suggest(name, known);
  return new EditError('invalid-request', `There is no command '${name}'.`, {
    hint: suggestion === undefined ? `The commands are ${known.join(', ')}.` : `Did you mean ${suggestion}?`,
  });
}

function printError(error: EditError, stderr: Output): void {
  stderr.write(`error: ${error.message}\n`);
  if (error.hint !== undefined) stderr.write(`  ${error.hint}\n`);
  if (error.code === 'internal' && error.cause instanceof Error) {
    stderr.write(`${error.cause.stack ?? ''}\n`);
  }
}

function printJsonError(error: EditError, stdout: Output): void {
  const { exitCode, retryable } = errorCodes[error.code];
  stdout.write(`${JSON.stringify({ type: 'error', error: { ...wireErrorOf(error), retryable }, exitCode })}\n`);
}
