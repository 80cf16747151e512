// Errors for a client, which knows neither path nor name of the server's files: they call a file by what it is.

import { EditError } from './errors.ts';

/** Between quotes a path may have spaces; without them it ends at the first. Addresses of the web are none. */
const absolutePaths = [
  /(["'`])(?:file:(?:\/\/)?)?(?:[a-z]:[\\/]|\/|\\\\)(?:(?!\1).)*?([^\\/"'`\n]+)[\\/]?\1/gi,
  /()(?<![\w.:/\\-])(?:file:(?:\/\/)?)?(?:[a-z]:[\\/]|\/|\\\\)(?:[^\s\\/"'`:;,()<>|]+[\\/])+([^\s\\/"'`:;,()<>|]*)/gi,
];

/** The text with the last part only of every absolute path in it, which is what a client may know of a file. */
export function withoutAnyPath(text: string): string {
  return absolutePaths.reduce(
    (rest, path) => rest.replaceAll(path, (_all, quote: string, name: string) => `${quote}${name}${quote}`),
    text,
  );
}

/** What clients call the files in the messages of an error: name -> absolute path. */
const namesOf = new WeakMap<EditError, Readonly<Record<string, string>>>();

/**
 * Notes what a client is to call the files that an error may name, for example `the clip`, and returns the error as it is:
 * the server's own log has the paths. A path within another one stands before it.
 */
export function nameFiles(error: unknown, names: Readonly<Record<string, string>>): unknown {
  if (error instanceof EditError) namesOf.set(error, { ...namesOf.get(error), ...names });
  return error;
}

/** A text of `error` as a client may read it: files by the names that were noted, others by the last part of their path. */
export function withoutPaths(error: EditError, text: string): string {
  let rest = text;
  for (const [name, path] of Object.entries(namesOf.get(error) ?? {})) {
    for (const form of [`"${path}"`, `file:${path}`, path]) rest = rest.replaceAll(form, name);
  }
  return withoutAnyPath(rest);
}
