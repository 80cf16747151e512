// Errors for a client, which knows neither path nor name of the server's files: they call a file by what it is.

import { EditError } from './errors.ts';

/** The error without the paths of `paths`, whose keys stand in their place, for example `the clip`. */
export function withoutPaths(error: unknown, paths: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof EditError)) return error;
  let { message } = error;
  for (const [name, path] of Object.entries(paths)) {
    for (const form of [`"${path}"`, `file:${path}`, path])
      message = message.replaceAll(form, name);
  }
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new EditError(error.code, message, { ...hint, cause: error });
}
