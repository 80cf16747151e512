// Results over HTTP, for programs that can only be given an address: a client asks for a link with its token, and the
// link works for a few minutes without one, in ranges too.

import { extname } from 'node:path';
import { EditError } from '../../errors.ts';
import { linkLifetimeMs, openLink, signLink } from '../signed-link.ts';
import type { Route, SentFile } from './route.ts';

/** Finished results by owner. Throws EditError 'job-missing' for a job of another owner, or without a result. */
export interface ResultSource {
  result(owner: string, jobId: string): { readonly path: string; readonly sha256: string };
}

export interface ResultRoutesDeps {
  readonly results: ResultSource;
  /** What links are signed with. */
  readonly linkSecret: Uint8Array;
  readonly isPaired: (clientId: string) => boolean;
  readonly now?: () => Date;
}

export function resultRoutes({
  results,
  linkSecret,
  isPaired,
  now = () => new Date(),
}: ResultRoutesDeps): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/results/:jobId/link',
      access: 'client',
      handle({ parameters, client }) {
        const target = { clientId: client?.clientId ?? '', jobId: parameters['jobId'] ?? '' };
        results.result(target.clientId, target.jobId);
        const expiresAt = new Date(now().getTime() + linkLifetimeMs);
        const url = signLink(linkSecret, target, expiresAt);
        return { json: { url, expiresAt: expiresAt.toISOString() } };
      },
    },
    {
      method: 'GET',
      path: '/results/:jobId',
      access: 'anyone',
      handle({ parameters, query }) {
        const target = openLink(linkSecret, parameters['jobId'] ?? '', query, now());
        if (target === null || !isPaired(target.clientId)) {
          throw new EditError('not-paired', 'The link is not valid, or not any more.', {
            hint: 'Ask for a new one: POST /results/JOB/link with the token of a pairing.',
          });
        }
        const { path, sha256 } = results.result(target.clientId, target.jobId);
        return { file: toSentFile(path, target.jobId, sha256) };
      },
    },
  ];
}

function toSentFile(path: string, jobId: string, sha256: string): SentFile {
  const ending = extname(path) === '.mp4' ? '.mp4' : '.mov';
  return {
    path,
    contentType: ending === '.mp4' ? 'video/mp4' : 'video/quicktime',
    fileName: `tokenflow-${jobId.slice(0, 8)}${ending}`,
    sha256,
  };
}
