// YAML files that other programs keep: only read, and only as plain values.

import { readFile, stat } from 'node:fs/promises';
import { parse, YAMLError } from 'yaml';

/** Files of settings are a few kilobytes; a larger one is none. */
const maxBytes = 1_000_000;

/**
 * The value of a YAML file; undefined when there is none. Throws Error with the end of a sentence for a file that cannot
 * be understood.
 */
export async function readYaml(path: string): Promise<unknown> {
  let text: string;
  try {
    if ((await stat(path)).size > maxBytes) throw new Error(`has more than ${maxBytes} bytes`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw code === undefined ? error : new Error(`cannot be read (${code})`, { cause: error });
  }
  try {
    // Aliases can make a short file a huge value.
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    if (!(error instanceof YAMLError) && !(error instanceof ReferenceError)) throw error;
    const [line = ''] = error.message.split('\n');
    throw new Error(`is no YAML: ${line.replace(/:$/, '')}`, { cause: error });
  }
}

/** Fields of a YAML mapping; undefined for another value. */
export function mappingOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMapping ? (value as Record<string, unknown>) : undefined;
}
