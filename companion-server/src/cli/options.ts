// Command line options as a table: one entry per option serves parsing, typing, --help and error messages.

import { parseArgs } from 'node:util';
import { EditError } from '../errors.ts';
import { suggest } from './suggest.ts';

export type Option =
  | { readonly kind: 'text' | 'number'; readonly placeholder: string; readonly help: string }
  /** A text that may be given several times. */
  | { readonly kind: 'texts'; readonly placeholder: string; readonly help: string }
  | {
      readonly kind: 'choice';
      readonly choices: readonly string[];
      readonly help: string;
      /** Its name in earlier versions, which is still understood. */
      readonly formerly?: string;
    }
  | { readonly kind: 'flag'; readonly help: string };

/** By name, without the two dashes. */
export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends { readonly kind: 'flag' }
  ? boolean
  : O extends { readonly kind: 'number' }
    ? number | undefined
    : O extends { readonly kind: 'texts' }
      ? readonly string[]
      : O extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] }
        ? Choice | undefined
        : string | undefined;

/** A flag that is not given is false, a list empty; any other option that is not given is undefined. */
export type Values<Table extends Options> = {
  readonly [Name in keyof Table]: ValueOf<Table[Name]>;
};

export interface ParsedArguments<Table extends Options> {
  readonly values: Values<Table>;
  readonly positionals: readonly string[];
}

/** Reads arguments by a table. Throws EditError 'invalid-request' that names the option and the rule. */
export function parseArguments<Table extends Options>(args: readonly string[], options: Table): ParsedArguments<Table> {
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { kind }]) => [
        name,
        { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, unknown> = {};
  for (const [name, { kind }] of Object.entries(options)) {
    values[name] = kind === 'flag' ? false : kind === 'texts' ? [] : undefined;
  }
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const name = todaysName(token.name, options);
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) throw unknownOption(token.rawName, Object.keys(options));
    const value = readValue(token.rawName, option, token.value, token.inlineValue === true);
    values[name] = option.kind === 'texts' ? [...(values[name] as readonly string[]), value] : value;
  }
  return { values: values as Values<Table>, positionals };
}

function todaysName(name: string, options: Options): string {
  const renamed = Object.entries(options).find(([, option]) => option.kind === 'choice' && option.formerly === name);
  return renamed?.[0] ?? name;
}

function readValue(
  name: string,
  option: Option,
  value: string | undefined,
  isInline: boolean,
): boolean | number | string {
  if (option.kind === 'flag') {
    if (value !== undefined) throw refused(`${name} takes no value, got '${value}'.`);
    return true;
  }
  // `--prompt --steps 4`: the value was forgotten, the next option is not meant as one.
  if (value === undefined || (!isInline && value.startsWith('--'))) {
    throw refused(`${name} needs a value.`);
  }
  switch (option.kind) {
    case 'text':
    case 'texts':
      return value;
    case 'number':
      return readNumber(name, value);
    case 'choice':
      if (option.choices.includes(value)) return value;
      throw refused(`${name} must be one of ${option.choices.join(', ')}, got '${value}'.`);
  }
}

function readNumber(name: string, value: string): number {
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number)) return number;
  throw refused(`${name} must be a number, got '${value}'.`);
}

function unknownOption(name: string, known: readonly string[]): EditError {
  const suggestion = suggest(name.replace(/^-+/, ''), known);
  return refused(
    `There is no option ${name}.`,
    suggestion === undefined ? 'See --help for all options.' : `Did you mean --${suggestion}?`,
  );
}

function refused(message: string, hint?: string): EditError {
  return new EditError('invalid-request', message, hint === undefined ? {} : { hint });
}
