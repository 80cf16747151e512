import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaultSettings } from '../../../protocol/edit-settings.ts';
import type { JobView } from '../../../protocol/job.ts';
import { EditError } from '../errors.ts';
import { createLog } from '../app/log.ts';
import { createIdentity } from '../pairing/identity.ts';
import { localClient, type Client, type Pairings } from '../pairing/pairings.ts';
import { createApp } from './app.ts';
import { createMetrics } from './prometheus.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { protocolVersion } from '../../../protocol/version.ts';
import { pairingRoutes } from './routes/pairing.ts';
import type { RelayedFiles } from '../relay/relayed-files.ts';
import { resultRoutes } from './routes/results.ts';
import { stateRoutes } from './routes/state.ts';

const noRelay: Pick<RelayedFiles, 'linkToResult' | 'open' | 'ownerOf'> = {
  linkToResult: () => Promise.resolve(null),
  ownerOf: () => null,
  open: () => Promise.reject(new Error('No other machine is connected.')),
};
const jobId = 'b'.repeat(32);
const bytes = Buffer.from('0123456789');
const doneJob = {
  state: 'done',
  settings: { ...defaultSettings(), codec: 'h264' },
  result: { sizeBytes: bytes.length, sha256: 'f'.repeat(64) },
} as JobView;
const owner: Client = { clientId: 'a'.repeat(32), name: 'panel' };
const other: Client = { clientId: 'c'.repeat(32), name: 'another panel' };
const clients: Readonly<Record<string, Client>> = { local: localClient, owner, other };

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Fixture {
  readonly ask: (path: string, asked?: Asked) => Promise<Answer>;
  readonly revoked: Set<string>;
  readonly trusted: unknown[];
  /** What was changed on the server. */
  readonly changes: string[];
}

async function createFixture(): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-app-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'result.mp4');
  await writeFile(path, bytes);
  await writeFile(join(folder, 'index.html'), '<title>page</title>');
  const revoked = new Set<string>();
  const trusted: unknown[] = [];
  const changes: string[] = [];
  const open = { code: 'K7QF-3MXD', expiresAt: new Date(0) };
  const pairings: Pairings = {
    openCode() {
      changes.push('code');
      return open;
    },
    currentCode: () => open,
    openLink: () => ({ key: 'e'.repeat(64), expiresAt: new Date(0) }),
    exchange: () => expect.fail('No code is exchanged over HTTP.'),
    authenticate: (token) => clients[token] ?? null,
    isPaired: (clientId) => !revoked.has(clientId),
    noteSeen: () => undefined,
    list: () => [],
    owners: () => [localClient, owner],
    revoke(clientId) {
      changes.push('revoke');
      return clientId === owner.clientId;
    },
    onRevoked: () => () => undefined,
  };
  const metrics = createMetrics();
  const jobs = {
    get(asking: string, asked: string) {
      if (asking === owner.clientId && asked === jobId) return Promise.resolve(doneJob);
      return Promise.reject(new EditError('job-missing', 'There is no such job.'));
    },
  };
  const artifacts = {
    facts: () => Promise.resolve({ sizeBytes: bytes.length }),
    localPath: () => Promise.resolve(path),
  };
  const app = createApp({
    routes: [
      ...stateRoutes('1.2.3', createIdentity('d'.repeat(32), 'f'.repeat(64))),
      ...pairingRoutes(pairings),
      ...resultRoutes({
        jobs,
        artifacts,
        linkSecret: Buffer.alloc(32, 1),
        isPaired: (clientId) => pairings.isPaired(clientId),
        relayedFiles: noRelay,
      }),
      ...metricsRoutes(metrics),
    ],
    pages: { '/': folder, '/panel': join(folder, 'not there') },
    pairings,
    pageKey: 'page-key',
    metrics,
    log: createLog({ level: 'silent', write: () => undefined }),
    trust: (connection) => trusted.push(connection),
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string, { method = 'GET', headers = {}, body }: Asked = {}) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const text = Buffer.concat((await response.toArray()) as Buffer[]).toString('utf8');
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text,
      json: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
    };
  };
  return { ask, revoked, trusted, changes };
}

const json = { 'content-type': 'application/json' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const post = (token: string, body = '{}'): Asked => ({
  method: 'POST',
  headers: { ...json, ...bearer(token) },
  body,
});

describe('what anyone may ask', () => {
  test('healthz and version answer in JSON, the page in HTML', async () => {
    const { ask } = await createFixture();
    expect((await ask('/healthz')).json).toEqual({ status: 'ok' });
    expect((await ask('/version')).json).toEqual({
      instanceId: 'd'.repeat(32),
      name: 'tokenflow',
      version: '1.2.3',
      protocol: protocolVersion,
    });
    expect((await ask('/')).text).toBe('<title>page</title>');
  });

  test.each(['/etc/passwd', '/../app.ts', '/%2e%2e/app.ts', '/.git', '/panel/', '/%00'])(
    '%s is not there, in JSON',
    async (path) => {
      const { ask } = await createFixture();
      const { status, json } = await ask(path);
      expect([400, 404]).toContain(status);
      expect(json).toMatchObject({ error: { code: 'invalid-request' } });
    },
  );

  test.each(['/healthz', '/', '/pairing', '/none'])('no other site can read or frame %s', async (path) => {
    const { headers } = await (await createFixture()).ask(path);
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/) as string,
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': expect.stringMatching(/no-store|max-age=0/) as string,
    });
    expect(Object.keys(headers).join()).not.toContain('access-control');
  });
});

describe('a web page of another site is refused', () => {
  test.each([
    ['by its origin', { origin: 'https://evil.example' }],
    ['by what the browser says of it', { 'sec-fetch-site': 'cross-site' }],
    ['by the name it was pointed here with', { host: 'evil.example' }],
    ['with a token, too', { origin: 'https://evil.example', ...bearer('local') }],
  ])('%s', async (_how, headers) => {
    const { ask, trusted } = await createFixture();
    for (const path of ['/healthz', '/', '/pairing', '/metrics', '/none']) {
      expect(await ask(path, { headers })).toMatchObject({
        status: 403,
        json: { error: { code: 'invalid-request' } },
      });
    }
    expect(trusted).toEqual([]);
  });

  test('a preflight is answered by a refusal without CORS headers', async () => {
    const { ask } = await createFixture();
    const { status, headers } = await ask('/pairing', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(status).toBe(403);
    expect(Object.keys(headers).join()).not.toContain('access-control');
  });
});

describe('a change', () => {
  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ''])(
    'is not made by a request of type "%s"',
    async (type) => {
      const { ask, changes } = await createFixture();
      const headers = { ...bearer('local'), ...(type === '' ? {} : { 'content-type': type }) };
      expect((await ask('/pairing/code', { method: 'POST', headers, body: '{}' })).status).toBe(415);
      expect(changes).toEqual([]);
    },
  );

  test('is made by no GET', async () => {
    const { ask, changes } = await createFixture();
    for (const path of ['/pairing', '/pairing/code', `/pairing/${owner.clientId}/revoke`]) {
      await ask(path, { headers: bearer('local') });
    }
    expect(changes).toEqual([]);
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('is made by no %s', async (method) => {
    const { ask, changes } = await createFixture();
    expect((await ask('/pairing/code', { ...post('local'), method })).status).toBe(405);
    expect(changes).toEqual([]);
  });

  test.each([
    ['no JSON', '{', 400],
    ['JSON that is no object', '"text"', 400],
    ['too much', `{"x":"${'x'.repeat(20_000)}"}`, 413],
  ])('with %s is refused', async (_what, body, status) => {
    const { ask, changes } = await createFixture();
    expect((await ask('/pairing/code', post('local', body))).status).toBe(status);
    expect(changes).toEqual([]);
  });
});

describe('the pairing code', () => {
  test.each([
    ['nobody', undefined, 401],
    ['a paired client', 'owner', 401],
    ['a wrong token', 'wrong', 401],
    ['the page that was opened with the key', 'page-key', 200],
    ['the command line', 'local', 200],
  ])('is shown to %s: %s', async (_who, token, status) => {
    const { ask } = await createFixture();
    const headers = token === undefined ? {} : bearer(token);
    const answer = await ask('/pairing', { headers });
    expect(answer.status).toBe(status);
    expect(answer.text.includes('K7QF')).toBe(status === 200);
  });

  test('can be made anew by the page, a pairing can be revoked by the command line only', async () => {
    const { ask, changes } = await createFixture();
    const revoke = `/pairing/${owner.clientId}/revoke`;
    expect((await ask('/pairing/code', post('page-key'))).status).toBe(200);
    expect((await ask(revoke, post('page-key'))).status).toBe(401);
    expect((await ask(revoke, post('owner'))).status).toBe(401);
    expect((await ask(revoke, post('local'))).status).toBe(200);
    expect((await ask('/pairing/none/revoke', post('local'))).status).toBe(400);
    expect(changes).toEqual(['code', 'revoke', 'revoke']);
  });
});

describe('metrics', () => {
  test('are for who has a token', async () => {
    const { ask, trusted } = await createFixture();
    expect((await ask('/metrics')).status).toBe(401);
    expect(trusted).toEqual([]);
    const { status, text, headers } = await ask('/metrics', { headers: bearer('other') });
    expect({ status, type: headers['content-type'] }).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
    });
    expect(text).toContain('tokenflow_http_answers_total{status="401"} 1\n');
    expect(trusted).toHaveLength(1);
  });
});

describe('a link to a result', () => {
  async function linkOf({ ask }: Fixture): Promise<string> {
    const answer = await ask(`/results/${jobId}/link`, post('owner'));
    expect(answer.status).toBe(200);
    return (answer.json as { url: string }).url;
  }

  test('gives the result without a token', async () => {
    const fixture = await createFixture();
    const { status, text, headers } = await fixture.ask(await linkOf(fixture));
    expect({ status, text }).toEqual({ status: 200, text: '0123456789' });
    expect(headers).toMatchObject({
      'content-type': 'video/mp4',
      'accept-ranges': 'bytes',
      etag: `"${'f'.repeat(64)}"`,
      'content-disposition': 'attachment; filename="tokenflow-bbbbbbbb.mp4"',
    });
  });

  test.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=10-', 416, undefined, 'bytes */10'],
  ])('gives the range %s', async (range, status, text, contentRange) => {
    const fixture = await createFixture();
    const answer = await fixture.ask(await linkOf(fixture), { headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-range']).toBe(contentRange);
    if (text !== undefined) expect(answer.text).toBe(text);
  });

  test('gives all of it when the range was asked of another result', async () => {
    const fixture = await createFixture();
    const headers = { range: 'bytes=2-4', 'if-range': '"old"' };
    expect(await fixture.ask(await linkOf(fixture), { headers })).toMatchObject({
      status: 200,
      text: '0123456789',
    });
  });

  test('is given to its owner only', async () => {
    const { ask } = await createFixture();
    const path = `/results/${jobId}/link`;
    expect((await ask(path, { method: 'POST', headers: json, body: '{}' })).status).toBe(401);
    expect(await ask(path, post('other'))).toMatchObject({
      status: 404,
      json: { error: { code: 'job-missing' } },
    });
    expect((await ask(`/results/${'d'.repeat(32)}/link`, post('owner'))).status).toBe(404);
    expect((await ask(path, { headers: bearer('owner') })).status).toBe(404);
  });

  test('is worth nothing for another job, or when it was changed', async () => {
    const fixture = await createFixture();
    const link = await linkOf(fixture);
    for (const bad of [
      link.replace(jobId, 'd'.repeat(32)),
      link.replace(owner.clientId, other.clientId),
      link.replace('signature=', 'signature=A'),
      `/results/${jobId}`,
    ]) {
      expect((await fixture.ask(bad)).status).toBe(401);
    }
  });

  test('dies with the pairing', async () => {
    const fixture = await createFixture();
    const link = await linkOf(fixture);
    fixture.revoked.add(owner.clientId);
    expect((await fixture.ask(link)).status).toBe(401);
  });
});
