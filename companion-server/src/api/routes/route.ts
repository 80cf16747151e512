// What a route is: an address, who may ask, and an answer as a value. How it is written to the network is in app.ts.

import type { Client } from '../../pairing/pairings.ts';
import type { FileAnswer, FileQuestion } from '../../relay/relayed-files.ts';

/**
 * Who may use it. `client`: clients with a token. `local`: the command line of the user who runs the server. `owner`: the
 * command line, or the server's own page when it was opened by the address that the server showed.
 */
export type Access = 'anyone' | 'client' | 'local' | 'owner';

export interface RouteRequest {
  /** The parts of the path that the route names. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The port of this server at which the request arrived. */
  readonly port: number;
  /** The client that asks; null when no token is needed and none was shown. */
  readonly client: Client | null;
  /** The request as one for a file of another machine. */
  readonly question: FileQuestion;
}

export type Reply =
  | { readonly json: object }
  | { readonly text: string; readonly contentType: string }
  | { readonly file: SentFile }
  | { readonly passedOn: FileAnswer; readonly fileName: string };

/** A file that is sent whole or in ranges. */
export interface SentFile {
  readonly path: string;
  readonly contentType: string;
  /** The name under which a browser saves it. */
  readonly fileName: string;
  /** Other bytes have another one: the ETag of the file. */
  readonly version: string;
}

export interface Route {
  /** What a GET answers it may not change. */
  readonly method: 'GET' | 'POST';
  /** As express writes it: `/results/:jobId`. */
  readonly path: string;
  readonly access: Access;
  handle(request: RouteRequest): Reply | Promise<Reply>;
}
