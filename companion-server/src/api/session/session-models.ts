// The requests of one connection about models, and what it is told of downloads.

import type { ClientMessage } from '../../../../protocol/messages/client-messages.ts';
import type { ModelDownload } from '../../../../protocol/model-offers.ts';
import { EditError } from '../../errors.ts';
import type { Peer } from './peer.ts';
import type { ModelChanges } from './session-deps.ts';

export type ModelMessage = Extract<
  ClientMessage,
  {
    readonly type: 'licence-get' | 'model-download' | 'model-download-pause' | 'model-download-cancel' | 'model-remove';
  }
>;

export interface SessionModels {
  /** Throws EditError. */
  handle(message: ModelMessage): Promise<void>;
  close(): void;
}

/** Tells the connection of downloads that are on their way, and from then on of every change. */
export function createSessionModels(peer: Peer, { downloads, remove, subscribe }: ModelChanges): SessionModels {
  const tell = (list: readonly ModelDownload[]): void => peer.send({ type: 'model-downloads', downloads: list });
  const stops = [
    subscribe(() => peer.send({ type: 'models-changed' })),
    ...(downloads === null ? [] : [downloads.subscribe(tell)]),
  ];
  const begun = downloads?.list() ?? [];
  if (begun.length > 0) tell(begun);

  function requireDownloads(): NonNullable<ModelChanges['downloads']> {
    if (downloads !== null) return downloads;
    throw new EditError('invalid-request', 'This server does not download models.', {
      hint: 'It was started for one command, or without a folder of models.',
    });
  }

  return {
    async handle(message) {
      const { requestId } = message;
      switch (message.type) {
        case 'licence-get':
          peer.send({ type: 'licence', requestId, ...requireDownloads().licence(message.modelId) });
          return;
        case 'model-remove': {
          const { kind, name } = message;
          await remove(kind, name);
          peer.send({ type: 'model-removed', requestId, kind, name });
          return;
        }
        case 'model-download':
          await requireDownloads().start(message.modelId, message.acceptedLicence);
          break;
        case 'model-download-pause':
          await requireDownloads().pause(message.modelId);
          break;
        case 'model-download-cancel':
          await requireDownloads().cancel(message.modelId);
          break;
      }
      peer.send({ type: 'model-download-taken', requestId, modelId: message.modelId });
    },
    close() {
      for (const stop of stops) stop();
    },
  };
}
