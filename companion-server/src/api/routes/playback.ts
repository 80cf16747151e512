// The videos of results, for a player that can only be given an address: it comes over the socket (`playback-get`), and works
// for a few minutes without a token, in ranges too.

import { frameSides } from '../../../../protocol/messages/stream-messages.ts';
import { EditError } from '../../errors.ts';
import type { Playback } from '../../playback/playback.ts';
import type { RelayedFiles } from '../../relay/relayed-files.ts';
import { openLink } from '../signed-link.ts';
import { notValid } from './results.ts';
import type { Route } from './route.ts';

export interface PlaybackRoutesDeps {
  readonly playback: Pick<Playback, 'open'>;
  /** What links are signed with. */
  readonly linkSecret: Uint8Array;
  readonly isPaired: (clientId: string) => boolean;
  readonly relayedFiles: Pick<RelayedFiles, 'open' | 'ownerOf'>;
  readonly now?: () => Date;
}

export function playbackRoutes(deps: PlaybackRoutesDeps): readonly Route[] {
  const { playback, linkSecret, isPaired, relayedFiles, now = () => new Date() } = deps;
  return [
    {
      method: 'GET',
      path: '/playback/:jobId/:side',
      access: 'anyone',
      async handle({ parameters, query, question }) {
        const jobId = parameters['jobId'] ?? '';
        const side = frameSides.find((one) => one === parameters['side']);
        if (side === undefined) {
          throw new EditError('invalid-request', `A video is of one of these sides: ${frameSides.join(', ')}.`);
        }
        const fileName = `tokenflow-${jobId.slice(0, 8)}-${side}.mp4`;
        const owner = relayedFiles.ownerOf(question.url);
        if (owner !== null && isPaired(owner)) return { passedOn: await relayedFiles.open(question), fileName };
        const target = openLink(linkSecret, { jobId, file: side }, query, now());
        if (target === null || !isPaired(target.clientId)) throw notValid('Ask for a new one over the socket.');
        const { path, version } = await playback.open(target.clientId, jobId, side);
        return { file: { path, contentType: 'video/mp4', fileName, version } };
      },
    },
  ];
}
