// A TLS certificate that the server signs itself, for clients that know it by its fingerprint. Node can read X.509 but not
// write it. What is written here is one certificate of fixed shape (RFC 5280, section 4.1; DER of X.690): an EC key on
// P-256, ECDSA with SHA-256, one name.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface SelfSigned {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8, not encrypted. */
  readonly key: string;
}

/** Tags of DER. */
const tags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
} as const;

/** Object identifiers, encoded. */
const ecdsaWithSha256 = Buffer.from('2a8648ce3d040302', 'hex'); // 1.2.840.10045.4.3.2
const commonName = Buffer.from('550403', 'hex'); // 2.5.4.3
const subjectAltName = Buffer.from('551d11', 'hex'); // 2.5.29.17

const dayMs = 24 * 60 * 60 * 1000;
/** The fingerprint is what clients trust, so the certificate need not end soon. */
const lifetimeMs = 20 * 365 * dayMs;

/** `name`: a DNS name in ASCII. Takes a few milliseconds. */
export function createSelfSigned(name: string, now = new Date()): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(der(tags.objectIdentifier, ecdsaWithSha256));
  const attribute = sequence(der(tags.objectIdentifier, commonName), der(tags.utf8String, Buffer.from(name)));
  const subject = sequence(der(tags.set, attribute));
  const names = sequence(der(tags.dnsName, Buffer.from(name, 'ascii')));
  const extension = sequence(der(tags.objectIdentifier, subjectAltName), der(tags.octetString, names));
  const signed = sequence(
    der(tags.version, der(tags.integer, Buffer.from([2]))), // version 3
    der(tags.integer, serialNumber()),
    algorithm,
    subject, // the issuer
    sequence(time(new Date(now.getTime() - dayMs)), time(new Date(now.getTime() + lifetimeMs))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(tags.extensions, sequence(extension)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', signed, privateKey)]);
  return {
    certificate: toPem(sequence(signed, algorithm, der(tags.bitString, signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** 127 random bits: positive, and without a leading zero byte. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes;
}

/** UTCTime until 2049, GeneralizedTime after (RFC 5280, section 4.1.2.5). */
function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/\.\d+|[-:T]/g, '');
  return at.getUTCFullYear() < 2050
    ? der(tags.utcTime, Buffer.from(digits.slice(2)))
    : der(tags.generalizedTime, Buffer.from(digits));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(tags.sequence, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content), content]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

function toPem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
