import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { createSelfSigned } from './self-signed-certificate.ts';

test('the certificate is one that Node reads: signed by its own key, for its name, valid for years', () => {
  const { certificate, key } = createSelfSigned('render-box', new Date('2026-11-28T12:00:00Z'));
  const read = new X509Certificate(certificate);
  expect(read.verify(read.publicKey)).toBe(true);
  expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(read.checkHost('render-box')).toBe('render-box');
  expect(read.subject).toBe('CN=render-box');
  expect(read.issuer).toBe(read.subject);
  expect(new Date(read.validFrom)).toEqual(new Date('2026-11-27T12:00:00Z'));
  expect(new Date(read.validTo)).toEqual(new Date('2046-11-23T12:00:00Z'));
});

test('a date after 2049 is written as such', () => {
  const { certificate } = createSelfSigned('box', new Date('2040-01-01T00:00:00Z'));
  expect(new Date(new X509Certificate(certificate).validTo).getUTCFullYear()).toBe(2059);
});

test('no two have the same number or fingerprint', () => {
  const made = Array.from({ length: 20 }, () => new X509Certificate(createSelfSigned('box').certificate));
  expect(new Set(made.map(({ serialNumber }) => serialNumber)).size).toBe(20);
  expect(new Set(made.map(({ fingerprint256 }) => fingerprint256)).size).toBe(20);
});

test('TLS is spoken with it, and a client sees its fingerprint', async () => {
  const { certificate: cert, key } = createSelfSigned('render-box');
  const server = createServer({ cert, key, minVersion: 'TLSv1.2' }, (socket) => void socket.end('served'));
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // Trusted as its own authority: the chain and the name are checked as everywhere.
  const socket = connect({ port, host: '127.0.0.1', servername: 'render-box', ca: cert });
  const [data] = (await once(socket, 'data')) as [Buffer];
  expect(data.toString()).toBe('served');
  expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(new X509Certificate(cert).fingerprint256);
  socket.destroy();
});
