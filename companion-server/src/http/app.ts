// The HTTP side of the server, without a port: `createApp(deps)` is tested as it is.

import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { protocolVersion } from '../../../protocol/version.ts';
import type { Log } from '../log.ts';
import { isOwnHost, isOwnOrigin } from './guard.ts';

export interface AppDeps {
  readonly version: string;
  readonly log: Log;
}

/** Answers /healthz and /version; everything, refusals included, is JSON. */
export function createApp({ version, log }: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(guard);
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/version', (_request, response) => {
    response.json({ name: 'tokenflow', version, protocol: protocolVersion });
  });
  app.use((_request, response) => {
    response.status(404).json(refusal('There is nothing at this address.'));
  });
  app.use(answerFailure(log));
  return app;
}

const guard: RequestHandler = ({ headers }, response, next) => {
  const reason = refusalReason(headers.host, headers.origin);
  if (reason === undefined) {
    next();
    return;
  }
  response.status(403).json(refusal(reason));
};

/** Why a request from there is refused, or undefined when it is not. Shared with the WebSocket upgrade. */
export function refusalReason(
  host: string | undefined,
  origin: string | undefined,
): string | undefined {
  if (!isOwnHost(host)) return 'Only requests addressed to 127.0.0.1 or localhost are served.';
  if (!isOwnOrigin(origin, host)) return 'Pages of other sites may not use this server.';
  return undefined;
}

/** The JSON body of a refusal. */
export function refusal(message: string): object {
  return { error: { code: 'invalid-request', message, retryable: false } };
}

const answerFailure =
  (log: Log): ErrorRequestHandler =>
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- Express knows an error handler by its four parameters
  (error: unknown, request, response, _next) => {
    log.error('A request failed.', { path: request.path, error: String(error) });
    response.status(500).json({
      error: { code: 'internal', message: 'The server could not answer.', retryable: false },
    });
  };
