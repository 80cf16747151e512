// Brings packages of the registries onto this machine, checks them against their known hash, and keeps them for the next time.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';
import { readTar } from '../../companion-server/src/archives/tar.ts';
import { readZip } from '../../companion-server/src/archives/zip.ts';

export type Part =
  /** `sha512`: Base64, as a lock file has it. */
  | { readonly kind: 'npm'; readonly name: string; readonly version: string; readonly sha512: string }
  /** A package of PyPI. `sha256`: hexadecimal, as its index has it. */
  | {
      readonly kind: 'wheel';
      readonly name: string;
      readonly version: string;
      readonly url: string;
      readonly sha256: string;
    };

/**
 * The files of a package, names without the folder that npm puts around them. `cacheDir`: where downloads are kept. Throws an
 * Error when it cannot be downloaded, or is not the package that it should be. `isWanted`: other files are not unpacked.
 */
export async function fetchPart(
  part: Part,
  cacheDir: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<ArchivedFile[]> {
  mkdirSync(cacheDir, { recursive: true });
  const ending = part.kind === 'npm' ? 'tgz' : 'whl';
  const hash = part.kind === 'npm' ? part.sha512 : part.sha256;
  const name = `${part.name.replace('/', '+')}-${part.version}-${hash.slice(0, 8).replaceAll('/', '_')}.${ending}`;
  const file = path.join(cacheDir, name);
  const bytes = readIfWhole(file, part) ?? (await download(part, file, cacheDir));
  if (part.kind === 'wheel') return [...readZip(bytes, isWanted)];
  return readTar(gunzipSync(bytes))
    .map(({ name: packed, ...rest }) => ({ ...rest, name: packed.slice(packed.indexOf('/') + 1) }))
    .filter((packed) => isWanted(packed.name));
}

function readIfWhole(file: string, part: Part): Buffer | null {
  try {
    const bytes = readFileSync(file);
    return isPart(bytes, part) ? bytes : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function download(part: Part, file: string, cacheDir: string): Promise<Buffer> {
  const bytes = part.kind === 'npm' ? downloadFromNpm(part, cacheDir) : await downloadUrl(part.url);
  if (!isPart(bytes, part)) {
    throw new Error(`${part.name} ${part.version} is not the package that scripts/release/ knows: its hash differs.`);
  }
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, bytes);
  renameSync(partial, file);
  return bytes;
}

function isPart(bytes: Buffer, part: Part): boolean {
  return part.kind === 'npm'
    ? createHash('sha512').update(bytes).digest('base64') === part.sha512
    : createHash('sha256').update(bytes).digest('hex') === part.sha256;
}

/** By npm itself, which knows the user's registry, proxy and certificates. */
function downloadFromNpm({ name, version }: Part, cacheDir: string): Buffer {
  const folder = mkdtempSync(path.join(cacheDir, 'npm-'));
  try {
    const args = ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder];
    const { status, stderr, error } = spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' });
    const [packed] = readdirSync(folder);
    if (status !== 0 || packed === undefined) {
      throw new Error(`npm pack ${name}@${version} failed: ${error?.message ?? stderr.trim()}`);
    }
    return readFileSync(path.join(folder, packed));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function downloadUrl(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}.`);
  return Buffer.from(await response.arrayBuffer());
}
