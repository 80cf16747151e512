// The HTTP side of the server, without a port, so that tests can use `createApp(deps)` directly. It checks every request
// with the guard, checks the token if a route needs one, and writes a route's answer, or its refusal, to the network.

import { existsSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { pipeline, type Duplex } from 'node:stream';
import { basename, dirname } from 'node:path';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import { EditError } from '../errors.ts';
import type { Log } from '../app/log.ts';
import type { FileAnswer } from '../relay/relayed-files.ts';
import { toClientError, toEditError, toWireError } from '../wire-error.ts';
import { requireAccess, type AccessDeps } from './access.ts';
import { refusalReason, type GuardOptions } from './guard.ts';
import { refusal, refusalStatus, statusOf } from './refusal.ts';
import type { Metrics } from './prometheus.ts';
import type { Reply, Route, SentFile } from './routes/route.ts';

export interface AppDeps extends AccessDeps, GuardOptions {
  readonly routes: readonly Route[];
  /** Folders of pages by the path they are served at, for example `/panel`; missing folders are left out. */
  readonly pages: Readonly<Record<string, string>>;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Called for every connection that has shown a token or a signed link. */
  readonly trust: (connection: Duplex) => void;
}

/** Bytes of a body. Large data goes over the WebSocket. */
const bodyLimit = '16kb';

export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  const answered = deps.metrics.counter('tokenflow_http_answers_total', 'HTTP answers by status.', 'status');
  app.use((_request, response, next) => {
    response.once('finish', () => answered(String(response.statusCode)));
    response.set(safeHeaders);
    next();
  });
  app.use(guard(deps));
  app.use(requireMethod);
  app.use(requireJson);
  app.use(express.json({ limit: bodyLimit, type: 'application/json' }));
  for (const route of deps.routes) {
    const handle = toHandler(route, deps);
    if (route.method === 'GET') app.get(route.path, handle);
    else app.post(route.path, handle);
  }
  for (const [path, folder] of Object.entries(deps.pages)) {
    if (existsSync(folder)) app.use(path, express.static(folder, { dotfiles: 'ignore' }));
  }
  app.use((_request, response) => refuse(response, refusalStatus.nothingThere, 'There is nothing at this address.'));
  app.use(answerFailure(deps.log));
  return app;
}

/**
 * No page of another site can read, frame or load what comes from here, and the own pages load nothing from elsewhere.
 * There are no CORS headers, on purpose.
 */
const safeHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** Whether a request came over TLS. */
export function isEncrypted({ socket }: IncomingMessage): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

const guard =
  (options: GuardOptions): RequestHandler =>
  (request, response, next) => {
    const { headers } = request;
    const reason = refusalReason({ headers, isEncrypted: isEncrypted(request) }, options);
    if (reason === undefined) next();
    else refuse(response, refusalStatus.unauthenticated, reason);
  };

const requireMethod: RequestHandler = ({ method }, response, next) => {
  if (['GET', 'HEAD', 'POST'].includes(method)) {
    next();
    return;
  }
  response.set('Allow', 'GET, HEAD, POST');
  refuse(response, refusalStatus.method, `${method} is not answered here.`);
};

/** A form or a simple request of a web page cannot have this type; only a program can send it. */
const requireJson: RequestHandler = ({ method, headers }, response, next) => {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (method !== 'POST' || type === 'application/json') next();
  else refuse(response, refusalStatus.contentType, 'A POST must have the content type application/json.');
};

function toHandler(route: Route, deps: AppDeps): RequestHandler {
  return async (request, response) => {
    const client = requireAccess(route.access, request.headers.authorization, deps);
    if (client !== null) deps.trust(request.socket);
    const reply = await route.handle({
      parameters: toParameters(request.params),
      query: new URL(request.url, 'http://localhost').searchParams,
      port: request.socket.localPort ?? 0,
      client,
      question: { url: request.url, isHead: request.method === 'HEAD', headers: request.headers },
    });
    if ('file' in reply || 'passedOn' in reply) deps.trust(request.socket);
    send(response, reply);
  };
}

/** No route of ours has a parameter of several parts. */
function toParameters(parameters: Readonly<Record<string, string | string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
}

function send(response: Response, reply: Reply): void {
  if ('json' in reply) response.json(reply.json);
  else if ('text' in reply) response.set('Content-Type', reply.contentType).send(reply.text);
  else if ('file' in reply) sendFile(response, reply.file);
  else passOn(response, reply.passedOn, reply.fileName);
}

/** As fast as the client reads it. An end of one side ends the other. */
function passOn(response: Response, { status, headers, body }: FileAnswer, fileName: string): void {
  response.status(status).set({ ...headers, 'Content-Disposition': dispositionOf(fileName) });
  // The client, or the other machine, has closed in the middle: no one can receive an answer.
  pipeline(body, response, () => undefined);
}

function dispositionOf(fileName: string): string {
  return `attachment; filename="${fileName}"`;
}

function sendFile(response: Response, { path, contentType, fileName, version }: SentFile): void {
  response.set({
    'Content-Type': contentType,
    'Content-Disposition': dispositionOf(fileName),
    ETag: `"${version}"`,
  });
  const options = { root: dirname(path), dotfiles: 'allow', lastModified: false, cacheControl: false } as const;
  response.sendFile(basename(path), options, (error) => {
    // The other end has closed in the middle: no one can receive an answer.
    if (error === undefined || response.headersSent) return;
    for (const name of ['Content-Type', 'Content-Disposition', 'ETag']) response.removeHeader(name);
    const { status, headers = {} } = error as { status?: number; headers?: Record<string, string> };
    response.set(headers);
    if (status === refusalStatus.range) refuse(response, status, 'The range is outside of the file.');
    else refuse(response, refusalStatus.nothingThere, 'The file is not there any more.');
  });
}

function refuse(response: Response, status: number, message: string): void {
  response.status(status).json(refusal(message));
}

const answerFailure =
  (log: Log): ErrorRequestHandler =>
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- Express knows an error handler by its four parameters
  (thrown: unknown, request, response, _next) => {
    const known = toEditError(thrown);
    const error = known.code === 'internal' ? thrown : known;
    const status = statusOf(error);
    if (error instanceof EditError && status !== 500) {
      if (status === 401) response.set('WWW-Authenticate', 'Bearer');
      // A hint of ours may name an address of this server, which looks like a path.
      const { message } = toClientError(error);
      response.status(status).json({ error: { ...toWireError(error), message } });
      return;
    }
    if (status !== 500) {
      refuse(response, status, 'The request cannot be read.');
      return;
    }
    log.error('A request failed.', { address: request.path, error: String(error) });
    response.status(500).json({
      error: { code: 'internal', message: 'The server could not answer.' },
    });
  };
