// Results over HTTP, for programs that can only be given an address: a client asks for a link with its token, and the
// link works for a few minutes without one, in ranges too.

import { extname } from 'node:path';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { EditError } from '../../errors.ts';
import type { JobQueue } from '../../jobs/queue.ts';
import { resultOf } from '../../jobs/results.ts';
import { linkLifetimeMs, openLink, signLink } from '../signed-link.ts';
import type { Route, SentFile } from './route.ts';

export interface ResultRoutesDeps {
  readonly jobs: Pick<JobQueue, 'get'>;
  readonly artifacts: Pick<ArtifactStore, 'facts' | 'localPath'>;
  /** What links are signed with. */
  readonly linkSecret: Uint8Array;
  readonly isPaired: (clientId: string) => boolean;
  readonly now?: () => Date;
}

export function resultRoutes(deps: ResultRoutesDeps): readonly Route[] {
  const { artifacts, linkSecret, isPaired, now = () => new Date() } = deps;
  return [
    {
      method: 'POST',
      path: '/results/:jobId/link',
      access: 'client',
      async handle({ parameters, client }) {
        const target = { clientId: client?.clientId ?? '', jobId: parameters['jobId'] ?? '', file: 'result' } as const;
        await resultOf(deps, target.clientId, target.jobId);
        const expiresAt = new Date(now().getTime() + linkLifetimeMs);
        const url = signLink(linkSecret, target, expiresAt);
        return { json: { url, expiresAt: expiresAt.toISOString() } };
      },
    },
    {
      method: 'GET',
      path: '/results/:jobId',
      access: 'anyone',
      async handle({ parameters, query }) {
        const target = openLink(linkSecret, { jobId: parameters['jobId'] ?? '', file: 'result' }, query, now());
        if (target === null || !isPaired(target.clientId)) {
          throw notValid('Ask for a new one: POST /results/JOB/link with the token of a pairing.');
        }
        const { artifact, sha256 } = await resultOf(deps, target.clientId, target.jobId);
        return { file: toSentFile(await artifacts.localPath(artifact), target.jobId, sha256) };
      },
    },
  ];
}

/** The refusal of a link that opens nothing. */
export function notValid(hint: string): EditError {
  return new EditError('not-paired', 'The link is not valid, or not any more.', { hint });
}

function toSentFile(path: string, jobId: string, sha256: string): SentFile {
  const ending = extname(path) === '.mp4' ? '.mp4' : '.mov';
  return {
    path,
    contentType: ending === '.mp4' ? 'video/mp4' : 'video/quicktime',
    fileName: `tokenflow-${jobId.slice(0, 8)}${ending}`,
    version: sha256,
  };
}
