// What it takes to be reached from other machines: an address, a TLS certificate with its key, and a token. All of it,
// or nothing: a server that anybody on the network can talk to in plain text does not start.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { EditError } from './errors.ts';

export interface RemoteAccess {
  /** An IP address of this machine, or the address that means all of them. */
  readonly address: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** What a client elsewhere presents; at least 256 bits in hexadecimal digits. */
  readonly token: string;
  /** Whether the certificate is for this name or address, as a Host header has it. */
  readonly isServedName: (name: string) => boolean;
}

/** As on the command line: an address, and paths. */
export interface RemoteAccessFlags {
  readonly listen?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Reads what the flags name; null without any. Throws EditError 'invalid-request' when something is missing or bad. */
export function readRemoteAccess(flags: RemoteAccessFlags): RemoteAccess | null {
  const { listen, tlsCert, tlsKey, tokenFile } = flags;
  if ([listen, tlsCert, tlsKey, tokenFile].every((flag) => flag === undefined)) return null;
  if (listen === undefined || tlsCert === undefined || tlsKey === undefined || tokenFile === undefined) {
    const missing = [
      ['--listen', listen],
      ['--tls-cert', tlsCert],
      ['--tls-key', tlsKey],
      ['--token-file', tokenFile],
    ].flatMap(([name, value]) => (value === undefined ? [name] : []));
    throw refused(
      `To be reached from other machines the server needs an address, a TLS certificate with its key, and a token; missing: ${missing.join(', ')}.`,
      'Leave all four out to serve this machine only.',
    );
  }
  if (isIP(listen) === 0) throw refused(`--listen must be an IP address, got '${listen}'.`);
  const certificate = readSecretFile('--tls-cert', tlsCert);
  const key = readSecretFile('--tls-key', tlsKey);
  return {
    address: listen,
    certificate,
    key,
    token: readToken(tokenFile),
    isServedName: readNames(certificate, key),
  };
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
