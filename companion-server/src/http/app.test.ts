import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../log.ts';
import { createApp } from './app.ts';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const log = createLog({ level: 'silent', write: () => undefined });
  const server = createServer(createApp({ version: '1.2.3', log })).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  const chunks = await response.toArray();
  return {
    status: response.statusCode ?? 0,
    body: JSON.parse(Buffer.concat(chunks as Buffer[]).toString('utf8')) as unknown,
  };
}

test('healthz and version answer in JSON', async () => {
  expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
  expect(await get('/version')).toEqual({
    status: 200,
    body: { name: 'tokenflow', version: '1.2.3', protocol: 1 },
  });
});

test('what is not there is a 404 in JSON', async () => {
  expect(await get('/etc/passwd')).toMatchObject({
    status: 404,
    body: { error: { message: 'There is nothing at this address.' } },
  });
});

test('a page of another site and a host name that was pointed here are refused', async () => {
  expect(await get('/healthz', { origin: 'https://evil.example' })).toMatchObject({
    status: 403,
    body: { error: { message: 'Pages of other sites may not use this server.' } },
  });
  expect(await get('/healthz', { host: 'evil.example' })).toMatchObject({
    status: 403,
    body: { error: { message: 'Only requests addressed to 127.0.0.1 or localhost are served.' } },
  });
});
