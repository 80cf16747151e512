// An answer that carries no file, as the error that says what to do about it.

import { EditError } from '../../errors.ts';
import { repositoryPage, type Hub, type Repository } from './hub-address.ts';
import type { HubAnswer } from './hub-request.ts';
import { HubTrouble, readRetryAfter } from './hub-trouble.ts';

/** Statuses after which trying again is useful. */
const passing = [408, 425, 429, 500, 502, 503, 504];

/** What to throw for an answer with any other status than 200 and 206. */
export function refusalOf(answer: HubAnswer, hub: Hub, source: Repository, path: string): EditError | HubTrouble {
  const { status, isFromHub, headers } = answer;
  const file = `${source.repository}/${path}`;
  if (passing.includes(status)) return trouble(status, file, headers['retry-after']);
  // The address at the storage is valid for a while only: the hub is asked for another.
  if (!isFromHub && (status === 401 || status === 403)) return trouble(status, file, undefined);
  const reason = headers['x-error-code'];
  if (status === 404 || reason === 'RepoNotFound') {
    return new EditError('model-missing', `${hub.base.host} has no ${file} (status ${status}).`, {
      hint: 'The model may have been moved or withdrawn. See if there is a newer version of the program.',
    });
  }
  if (status === 401 || status === 403) return gated(status, hub, source);
  return new EditError('download-refused', `${hub.base.host} refused ${file}: status ${status}.`, {
    hint: 'Check HF_ENDPOINT and the network that you are in.',
  });
}

function trouble(status: number, file: string, retryAfter: string | undefined): HubTrouble {
  const afterMs = readRetryAfter(retryAfter);
  const hint =
    afterMs === undefined
      ? 'What has been downloaded is kept: run the command again later.'
      : `The hub asks to wait ${Math.ceil(afterMs / 1000)} s. What has been downloaded is kept.`;
  const what = status === 429 ? 'is asked for too often' : 'cannot be had now';
  return new HubTrouble(new EditError('connection-lost', `${file} ${what}: status ${status}.`, { hint }), afterMs);
}

function gated(status: number, hub: Hub, source: Repository): EditError {
  const page = repositoryPage(hub, source);
  const hint =
    hub.token === undefined
      ? `Sign in at ${page} and accept the terms there, make a token with the right to read under ${hub.base.origin}/settings/tokens, and set HF_TOKEN to it.`
      : `HF_TOKEN is set, but its account may not read this: accept the terms at ${page}, and see that the token is valid and may read gated repositories.`;
  return new EditError(
    'model-gated',
    `${hub.base.host} gives ${source.repository} only to accounts that were let in (status ${status}).`,
    { hint },
  );
}
