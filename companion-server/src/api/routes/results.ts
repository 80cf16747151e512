// Results over HTTP, for programs that can only be given an address: a client asks for a link with its token, and the
// link works for a few minutes without one, in ranges too.

import { extname } from 'node:path';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { EditError } from '../../errors.ts';
import type { JobQueue } from '../../jobs/queue.ts';
import { resultOf } from '../../jobs/results.ts';
import type { RelayedFiles } from '../../relay/relayed-files.ts';
import { linkLifetimeMs, openLink, signLink } from '../signed-link.ts';
import type { Route, SentFile } from './route.ts';

export interface ResultRoutesDeps {
  readonly jobs: Pick<JobQueue, 'get'>;
  readonly artifacts: Pick<ArtifactStore, 'facts' | 'localPath'>;
  /** What links are signed with. */
  readonly linkSecret: Uint8Array;
  readonly isPaired: (clientId: string) => boolean;
  readonly relayedFiles: Pick<RelayedFiles, 'linkToResult' | 'open' | 'ownerOf'>;
  readonly now?: () => Date;
}

export function resultRoutes(deps: ResultRoutesDeps): readonly Route[] {
  const { artifacts, linkSecret, isPaired, relayedFiles, now = () => new Date() } = deps;
  return [
    {
      method: 'POST',
      path: '/results/:jobId/link',
      access: 'client',
      async handle({ parameters, client }) {
        const target = { clientId: client?.clientId ?? '', jobId: parameters['jobId'] ?? '', file: 'result' } as const;
        // As for panels: what another machine does is asked for there.
        const link = await relayedFiles.linkToResult(target.clientId, target.jobId);
        if (link !== null) return { json: link };
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
      async handle({ parameters, query, question }) {
        const owner = relayedFiles.ownerOf(question.url);
        if (owner !== null && isPaired(owner)) {
          const answer = await relayedFiles.open(question);
          const ending = answer.headers['content-type'] === 'video/mp4' ? '.mp4' : '.mov';
          return { passedOn: answer, fileName: nameOf(parameters['jobId'] ?? '', ending) };
        }
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

function nameOf(jobId: string, ending: '.mov' | '.mp4'): string {
  return `tokenflow-${jobId.slice(0, 8)}${ending}`;
}

function toSentFile(path: string, jobId: string, sha256: string): SentFile {
  const ending = extname(path) === '.mp4' ? '.mp4' : '.mov';
  return {
    path,
    contentType: ending === '.mp4' ? 'video/mp4' : 'video/quicktime',
    fileName: nameOf(jobId, ending),
    version: sha256,
  };
}
