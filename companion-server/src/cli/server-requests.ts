// What the command line asks the running server of this user over HTTP.

import type { Environment } from '../app/config.ts';
import { dataDirOf } from '../app/config.ts';
import { EditError } from '../errors.ts';
import { askLocally } from '../local-request.ts';
import { fromWireError, type WireError } from '../../../protocol/messages/wire-error.ts';
import { findServer, type ServerFile } from './server-file.ts';
import { typed } from '../typed-command.ts';

/** An answer of the server may have to wait for its disk. */
const timeoutMs = 60_000;

/** The server that runs, and has proved to be the one of this user. Throws EditError 'connection-lost' when there is none. */
export async function findRunningServer(env: Environment): Promise<ServerFile> {
  const server = await findServer(dataDirOf(env));
  if (server !== null) return server;
  throw new EditError('connection-lost', 'No companion server of this user runs.', {
    hint: `Start it with ${typed('start')}.`,
  });
}

/** Asks the server, and reads its answer with `read`. Throws the EditError that it answers, or 'connection-lost'. */
export async function askServer<T>(
  { url, token }: Pick<ServerFile, 'url' | 'token'>,
  path: string,
  method: 'GET' | 'POST',
  read: (answer: unknown) => T,
): Promise<T> {
  const answer = await askLocally(new URL(path, url), { method, token, timeoutMs }).catch((error: unknown) => {
    throw new EditError('connection-lost', `No companion server answers at ${url}.`, {
      hint: `Start it with ${typed('start')}.`,
      cause: error,
    });
  });
  const json: unknown = JSON.parse(answer.body);
  if (answer.status === 200) return read(json);
  throw fromWireError((json as { readonly error: WireError }).error);
}
