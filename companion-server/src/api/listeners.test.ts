import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { get as getOverTls } from 'node:https';
import { createServer as createPlainServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../app/log.ts';
import { listen, type ListenOptions } from './listeners.ts';

const pem = (name: string): string =>
  readFileSync(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url), 'utf8');

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

const lines: string[] = [];
const log = createLog({ level: 'info', write: (line) => lines.push(line) });

function createHttp(): Server {
  const http = createServer((_request, response) => void response.end('served'));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return http;
}

async function open(options: Partial<ListenOptions> = {}) {
  const doors = await listen(createHttp(), { ports: [0], log, ...options });
  onTestFinished(() => doors.close());
  return doors;
}

/** What is answered at a URL, or the code of the failure. */
function ask(url: string): Promise<string> {
  return new Promise((resolve) => {
    const read = (response: IncomingMessage): void => {
      void response.toArray().then((chunks) => resolve(Buffer.concat(chunks as Buffer[]).toString()));
    };
    const asked = url.startsWith('https:')
      ? getOverTls(url, { rejectUnauthorized: false, agent: false }, read)
      : get(url, { agent: false }, read);
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Addresses of this machine that others can reach. */
const outerAddresses = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ internal, family }) => !internal && family === 'IPv4')
  .map(({ address }) => address);

test('127.0.0.1 is served, and ::1 at the same port where there is one', async () => {
  const { port, remoteUrl } = await open();
  expect(await ask(`http://127.0.0.1:${port}/`)).toBe('served');
  expect(await ask(`http://[::1]:${port}/`)).toBe(hasIpv6 ? 'served' : 'ECONNREFUSED');
  expect(remoteUrl).toBeNull();
});

test.runIf(outerAddresses.length > 0)('no other address of the machine is', async () => {
  const { port } = await open();
  for (const address of outerAddresses) {
    expect(await ask(`http://${address}:${port}/`)).toBe('ECONNREFUSED');
  }
});

test('a port that is taken is refused by its number, and nothing stays open', async () => {
  const other = createPlainServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(open({ ports: [port] })).rejects.toMatchObject({
    code: 'invalid-request',
    message: `Port ${port} is already in use.`,
  });
});

/** A program of somebody else; its port on `host`. */
async function occupy(host: string): Promise<number> {
  const other = createPlainServer().listen(0, host);
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  return (other.address() as AddressInfo).port;
}

test('of several ports the first is used that nobody else has on either address', async () => {
  const taken = [await occupy('127.0.0.1'), ...(hasIpv6 ? [await occupy('::1')] : [])];
  const { port } = await open({ ports: [...taken, 0] });
  expect(taken).not.toContain(port);
  expect(await ask(`http://127.0.0.1:${port}/`)).toBe('served');
});

test('ports that are all taken are refused by their numbers', async () => {
  const taken = [await occupy('127.0.0.1'), await occupy('127.0.0.1')];
  await expect(open({ ports: taken })).rejects.toMatchObject({
    code: 'invalid-request',
    message: `The ports ${taken.join(', ')} are all in use.`,
  });
});

test.runIf(hasIpv6)('a port that is taken on ::1 only is refused, too', async () => {
  const other = createPlainServer().listen(0, '::1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(open({ ports: [port] })).rejects.toThrow(`Port ${port} is already in use.`);
  expect(await ask(`http://127.0.0.1:${port}/`)).toBe('ECONNREFUSED');
});

test('the door for other machines speaks TLS, and nothing else', async () => {
  const remote = {
    address: '127.0.0.1',
    certificate: pem('certificate.pem'),
    key: pem('key.pem'),
    token: 'a'.repeat(64),
    fingerprint: '',
    isServedName: () => true,
  };
  const { remoteUrl } = await open({ remote });
  expect(remoteUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(await ask(`${remoteUrl ?? ''}/`)).toBe('served');
  expect(await ask((remoteUrl ?? '').replace('https', 'http'))).not.toBe('served');
});

test('an address that is not of this machine is refused', async () => {
  const remote = {
    address: '192.0.2.1',
    certificate: pem('certificate.pem'),
    key: pem('key.pem'),
    token: 'a'.repeat(64),
    fingerprint: '',
    isServedName: () => true,
  };
  await expect(open({ remote })).rejects.toMatchObject({
    message: 'The server cannot listen on 192.0.2.1 port 0: EADDRNOTAVAIL.',
    hint: 'Give --listen an address of this machine.',
  });
});
