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

/**
 * The error without the paths of `paths`, whose keys stand in their place, for example `the clip`, in message and hint. A
 * path within another one stands before it.
 */
export function withoutPaths(error: unknown, paths: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof EditError)) return error;
  const replaced = (text: string): string => {
    let rest = text;
    for (const [name, path] of Object.entries(paths)) {
      for (const form of [`"${path}"`, `file:${path}`, path]) rest = rest.replaceAll(form, name);
    }
    return rest;
  };
  const hint = error.hint === undefined ? {} : { hint: replaced(error.hint) };
  return new EditError(error.code, replaced(error.message), { ...hint, cause: error });
}
