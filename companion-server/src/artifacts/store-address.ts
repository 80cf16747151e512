// Where artifacts are kept, as TOKENFLOW_STORE says it.

import { isAbsolute } from 'node:path';
import { EditError } from '../errors.ts';
import { namesOf } from './ids.ts';
import type { S3Address } from './s3-storage.ts';

export type StoreAddress = { readonly type: 'folder'; readonly root: string } | ({ readonly type: 's3' } & S3Address);

const systems: Readonly<Record<string, NodeJS.Platform>> = { linux: 'linux', windows: 'win32', mac: 'darwin' };

/**
 * Reads an absolute path; a list of paths by system, so that all machines can have the same setting
 * (`linux=/mnt/clips;windows=T:\clips;mac=/Volumes/clips`); or `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`. Null where
 * nothing is set: artifacts are in the data folder. Throws EditError 'invalid-request'.
 */
export function readStoreAddress(
  value: string | undefined,
  platform: NodeJS.Platform = process.platform,
): StoreAddress | null {
  if (value === undefined || value === '') return null;
  if (value.startsWith('s3://')) return { type: 's3', ...readS3Address(value) };
  if (!/^[a-z]+=/.test(value)) return { type: 'folder', root: requirePath(value, value) };
  const paths = new Map<NodeJS.Platform, string>();
  for (const entry of value.split(';')) {
    const [name = '', ...rest] = entry.split('=');
    const system = systems[name];
    if (system === undefined) throw refusal(`names the system '${name}'; known are ${Object.keys(systems).join(', ')}`);
    paths.set(system, rest.join('='));
  }
  const path = paths.get(platform);
  if (path === undefined) throw refusal(`has no path for this system, which is ${platform}`);
  return { type: 'folder', root: requirePath(path, value) };
}

function requirePath(path: string, value: string): string {
  if (isAbsolute(path)) return path;
  throw refusal(`must be an absolute path, paths by system, or s3://BUCKET/PREFIX, got '${value}'`);
}

function readS3Address(value: string): S3Address {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw refusal(`must be s3://BUCKET/PREFIX, got '${value}'`);
  }
  if (url.username !== '' || url.password !== '') {
    throw refusal('must not hold a key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  }
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (url.hostname === '') throw refusal(`must name a bucket, got '${value}'`);
  try {
    if (prefix !== '') namesOf(prefix);
  } catch {
    throw refusal(`must have names joined by / behind the bucket, got '${value}'`);
  }
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint !== null && !/^https?:\/\//.test(endpoint)) {
    throw refusal(`must have an address of http or https as its endpoint, got '${endpoint}'`);
  }
  return { bucket: url.hostname, prefix, endpoint, region: url.searchParams.get('region') ?? 'us-east-1' };
}

function refusal(rule: string): EditError {
  return new EditError('invalid-request', `TOKENFLOW_STORE ${rule}.`);
}
