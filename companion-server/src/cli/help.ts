// --help, from the tables of commands and options.

import { errorCodes } from '../../../protocol/error-codes.ts';
import { interruptedExitCode, terminatedExitCode } from './exit-codes.ts';
import type { Command } from './command.ts';
import type { Option } from './options.ts';

/** Characters per line of wrapped text. */
const lineWidth = 96;

export function formatProgramHelp(commands: readonly Command[]): string {
  return [
    'TokenFlow for Premiere: text-driven video editing that stays coherent from frame to frame.',
    '',
    ...formatRows(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Every command explains itself with --help.',
    '',
  ].join('\n');
}

export function formatCommandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, help: helpOption });
  return [
    `${command.name} ${command.usage}`.trimEnd(),
    '',
    command.summary,
    '',
    'Options:',
    ...formatRows(options.map(([name, option]) => [formatName(name, option), option.help])),
    '',
    ...command.notes.flatMap((note) => [...wrap(note, lineWidth), '']),
    'Exit codes:',
    ...formatRows(exitCodeRows()),
    '',
  ].join('\n');
}

/** Every exit code with what it means: from the table of error codes. */
export function exitCodeRows(): readonly (readonly [string, string])[] {
  const names = new Map<number, string[]>();
  for (const [code, { exitCode }] of Object.entries(errorCodes)) {
    names.set(exitCode, [...(names.get(exitCode) ?? []), code]);
  }
  const rows = [...names].sort(([a], [b]) => a - b);
  return [
    ['0', 'done'],
    ...rows.map(([exitCode, codes]) => [String(exitCode), codes.join(', ')] as const),
    [String(interruptedExitCode), 'canceled by Ctrl+C'],
    [String(terminatedExitCode), 'canceled by a request to terminate'],
  ];
}

const helpOption: Option = { kind: 'flag', help: 'Show this text.' };

function formatName(name: string, option: Option): string {
  switch (option.kind) {
    case 'flag':
      return `--${name}`;
    case 'choice':
      return `--${name} ${option.choices.join('|')}`;
    case 'text':
    case 'texts':
    case 'number':
      return `--${name} ${option.placeholder}`;
  }
}

/** Two columns; a long first column gets a line of its own. */
function formatRows(rows: readonly (readonly [string, string])[]): string[] {
  const widest = Math.max(...rows.map(([left]) => left.length));
  const indent = Math.min(widest, 26) + 4;
  return rows.flatMap(([left, right]) => {
    const [first = '', ...rest] = wrap(right, lineWidth - indent);
    const fits = left.length + 4 <= indent;
    const head = fits ? [`  ${left}`.padEnd(indent) + first] : [`  ${left}`, pad(first, indent)];
    return [...head, ...rest.map((line) => pad(line, indent))];
  });
}

function pad(line: string, indent: number): string {
  return ' '.repeat(indent) + line;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
