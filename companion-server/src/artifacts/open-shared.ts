// The store that TOKENFLOW_STORE names, with a mirror on this machine.

import { stat } from 'node:fs/promises';
import { EditError } from '../errors.ts';
import { openMirroredArtifacts, type MirroredArtifacts, type MirroredArtifactsOptions } from './mirrored-store.ts';
import type { ObjectStorage } from './object-storage.ts';
import { openS3Storage } from './s3-storage.ts';
import { createSharedFolder } from './shared-folder.ts';
import type { StoreAddress } from './store-address.ts';

/** Throws EditError 'invalid-request' when the store is not there or cannot be used, or its package is not installed. */
export async function openSharedArtifacts(
  address: StoreAddress,
  options: Omit<MirroredArtifactsOptions, 'storage'>,
): Promise<MirroredArtifacts> {
  const storage = await openStorage(address);
  const name = address.type === 'folder' ? 'The shared folder' : `The bucket '${address.bucket}'`;
  try {
    // A question that every store answers: a wrong key, bucket or mount is noticed before the first job.
    await storage.namesIn('clips');
  } catch (error) {
    throw new EditError('invalid-request', `${name} of TOKENFLOW_STORE cannot be used: ${String(error)}`, {
      cause: error,
    });
  }
  return openMirroredArtifacts({ ...options, storage });
}

async function openStorage(address: StoreAddress): Promise<ObjectStorage> {
  if (address.type === 's3') return openS3Storage(address);
  const isThere = await stat(address.root).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isThere) return createSharedFolder(address.root);
  throw new EditError('invalid-request', `TOKENFLOW_STORE names the folder ${address.root}, which is not there.`, {
    hint: 'Mount the shared folder first, or make it.',
  });
}
