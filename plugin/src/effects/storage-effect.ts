// Asks how much room the server's files take, when a person looks at the versions or has deleted one.

import type { EffectDeps, StopEffect } from './deps.ts';
import { problemOf } from './problem-of.ts';

export function startStorageEffect({ client, host, store }: EffectDeps): StopEffect {
  const { dispatch } = store;

  async function read(): Promise<void> {
    if (client.link.name !== 'online') return;
    dispatch({ type: 'storage-read', storage: await client.storage() });
  }

  return store.subscribe(({ type }, { page }) => {
    const isChanged = type === 'page-chosen' || type === 'edit-changed' || type === 'version-deleted';
    if (page !== 'versions' || !isChanged) return;
    // Nothing depends on it: the line stays as it was.
    read().catch((error: unknown) => host.shell.log(`The storage could not be asked for: ${problemOf(error).message}`));
  });
}
