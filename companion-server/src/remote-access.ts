// What it takes to be reached from other machines: an address, and a TLS certificate with its key. The certificate is the
// user's, or one that the server signs itself and keeps; clients then know it by its fingerprint. A server that anybody on the
// network can talk to in plain text does not start.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { EditError } from './errors.ts';
import { createSelfSigned } from './self-signed-certificate.ts';

export interface RemoteAccess {
  /** An IP address of this machine, or the address that means all of them. */
  readonly address: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** What a client elsewhere presents without being paired; at least 256 bits in hexadecimal digits. Null: nothing does. */
  readonly token: string | null;
  /** SHA-256 of the certificate, as `AB:CD:...`. */
  readonly fingerprint: string;
  /** Whether clients may call the server by this name or address, as a Host header has it. */
  readonly isServedName: (name: string) => boolean;
}

/** As on the command line: an address, and paths. */
export interface RemoteAccessFlags {
  readonly listen?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/**
 * Reads what the flags name; null without any. Without a certificate it uses the one in the folder `tls` of `dataDir`
 * (absolute), which it makes at the first time. Throws EditError 'invalid-request' when something is missing or bad.
 */
export function readRemoteAccess(flags: RemoteAccessFlags, dataDir: string): RemoteAccess | null {
  const { listen, tlsCert, tlsKey, tokenFile } = flags;
  if ([listen, tlsCert, tlsKey, tokenFile].every((flag) => flag === undefined)) return null;
  if (listen === undefined) {
    throw refused(
      '--tls-cert, --tls-key and --token-file are for --listen, which is missing.',
      'Leave them out to serve this machine only.',
    );
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw refused(
      `A certificate needs its key; missing: ${tlsCert === undefined ? '--tls-cert' : '--tls-key'}.`,
      'Leave both out for a certificate that the server makes and clients know by its fingerprint.',
    );
  }
  if (isIP(listen) === 0) throw refused(`--listen must be an IP address, got '${listen}'.`);
  const token = tokenFile === undefined ? null : readToken(tokenFile);
  const given = tlsCert === undefined || tlsKey === undefined ? null : { tlsCert, tlsKey };
  const certificate = given === null ? null : readSecretFile('--tls-cert', given.tlsCert);
  if (given === null || certificate === null) {
    const own = keptSelfSigned(join(dataDir, 'tls'));
    const fingerprint = readPair(own.certificate, own.key).fingerprint256;
    return { address: listen, ...own, token, fingerprint, isServedName: isOwnName };
  }
  const key = readSecretFile('--tls-key', given.tlsKey);
  const isServedName = readNames(certificate, key);
  return {
    address: listen,
    certificate,
    key,
    token,
    fingerprint: readPair(certificate, key).fingerprint256,
    isServedName,
  };
}

/** The certificate of an earlier start, so that clients know it again; a new one where there is none. */
function keptSelfSigned(folder: string): { readonly certificate: string; readonly key: string } {
  const paths = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
  try {
    return { certificate: readFileSync(paths.certificate, 'utf8'), key: readFileSync(paths.key, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unkept(folder, error);
  }
  const made = createSelfSigned(dnsName(hostname()));
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of ['key', 'certificate'] as const) {
      // A file that exists keeps its mode, and a link leads elsewhere: they go first.
      rmSync(paths[name], { force: true });
      writeFileSync(paths[name], made[name], { mode: 0o600, flag: 'wx' });
    }
  } catch (error) {
    throw unkept(folder, error);
  }
  return made;
}

function unkept(folder: string, cause: unknown): EditError {
  return new EditError('output-unwritable', `The server's own certificate cannot be kept in ${folder}.`, {
    hint: 'Look at the rights of this folder, or name a certificate with --tls-cert and --tls-key.',
    cause,
  });
}

/** What a certificate may have as a name. */
function dnsName(host: string): string {
  const plain = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .slice(0, 60);
  return plain === '' ? 'tokenflow' : plain;
}

/**
 * The machine's name, and every address of it at this moment: with a certificate that no authority has signed no web page gets
 * here under another name.
 */
function isOwnName(name: string): boolean {
  const address = name.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0) {
    return Object.values(networkInterfaces()).some((found) => found?.some((one) => one.address === address));
  }
  const own = hostname().toLowerCase();
  return name === own || name === `${own}.local` || name === own.split('.')[0];
}

function readToken(path: string): string {
  const token = readSecretFile('--token-file', path).trim();
  if (/^[0-9a-f]{64,200}$/.test(token)) return token;
  throw refused(
    'The file of --token-file must hold 64 to 200 lower-case hexadecimal digits and nothing else.',
    'Make one with: openssl rand -hex 32',
  );
}

function readNames(certificate: string, key: string): (name: string) => boolean {
  const parsed = readPair(certificate, key);
  if (parsed.subjectAltName === undefined) {
    throw refused('The TLS certificate names no host (it has no subjectAltName).');
  }
  return (name) => {
    const address = name.replace(/^\[(.*)\]$/, '$1');
    const match = isIP(address) === 0 ? parsed.checkHost(name) : parsed.checkIP(address);
    return match !== undefined;
  };
}

function readPair(certificate: string, key: string): X509Certificate {
  try {
    const parsed = new X509Certificate(certificate);
    if (parsed.checkPrivateKey(createPrivateKey(key))) return parsed;
  } catch (error) {
    throw new EditError('invalid-request', 'The TLS certificate or its key cannot be read.', {
      hint: 'Both must be PEM files; the key must not be encrypted.',
      cause: error,
    });
  }
  throw refused('The key of --tls-key is not the one of the certificate of --tls-cert.');
}

function readSecretFile(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new EditError('invalid-request', `The file ${path} of ${option} cannot be read.`, {
      cause: error,
    });
  }
}

function refused(message: string, hint?: string): EditError {
  return new EditError('invalid-request', message, hint === undefined ? {} : { hint });
}
