// Who wants to be paired without being asked to: by a link that was used or seen, by a file that he planted or may not read,
// from a page that is not ours.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { findServer, readServerFile, writeServerFile } from '../../companion-server/src/cli/server-file.ts';
import type { ServerMessage } from '../../protocol/messages/server-messages.ts';
import { protocolVersion, socketPath, subprotocol } from '../../protocol/version.ts';
import { connectRaw, connectTo, startTestServer } from '../e2e/test-server.ts';
import { createWorkspace } from '../e2e/workspace.ts';

const run = promisify(execFile);

/** What the server answers to an attempt to pair. */
async function pair(server: RunningServer, code: string): Promise<ServerMessage> {
  const client = await connectRaw(server);
  client.say({ type: 'pair', requestId: 1, protocol: protocolVersion, code, name: 'panel' });
  return client.hear();
}

const keyOf = (link: string): string => new URL(link).hash.replace('#open=', '');

describe('a link that opens the panel', () => {
  test('pairs once: whoever finds it later in a history gets nothing', async () => {
    const server = await startTestServer(await createWorkspace());
    const key = keyOf(server.openLink());
    const paired = await pair(server, key);
    expect(paired).toMatchObject({ type: 'paired' });
    expect(await pair(server, key)).toMatchObject({ type: 'error', error: { code: 'link-void' } });
    const { token } = paired as { token: string };
    const client = await connectTo({ url: server.url, token });
    expect(await client.request({ type: 'job-list', afterJobId: null })).toMatchObject({ jobs: [] });
  });

  test('leaves its key with nobody who asks over HTTP', async () => {
    const server = await startTestServer(await createWorkspace());
    const key = keyOf(server.openLink());
    for (const path of ['/', '/version', `/version?nonce=${'0'.repeat(64)}`, '/server/', '/healthz']) {
      const text = await (await fetch(new URL(path, server.url))).text();
      expect(text).not.toContain(key);
      expect(text).not.toContain(server.panelKey);
    }
    const asked = await fetch(new URL('/pairing/link', server.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(asked.status).toBe(401);
  });

  test('cannot be made by a panel that is paired: only by the user of the server', async () => {
    const server = await startTestServer(await createWorkspace());
    const { token } = (await pair(server, keyOf(server.openLink()))) as { token: string };
    const ask = (bearer: string) =>
      fetch(new URL('/pairing/link', server.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
        body: '{}',
      });
    expect((await ask(token)).status).toBe(401);
    const made = (await (await ask(server.token)).json()) as { path: string };
    expect(made.path).toMatch(/^\/#open=[0-9a-f]{64}$/);
  });
});

describe('a key', () => {
  test.each(['0'.repeat(64), 'f'.repeat(64)])('that is wrong (%s) pairs nobody', async (key) => {
    const server = await startTestServer(await createWorkspace());
    expect(await pair(server, key)).toMatchObject({ type: 'error', error: { code: 'link-void' } });
    // Capital letters are another key: what is typed leniently are codes only.
    expect(await pair(server, server.panelKey.toUpperCase())).toMatchObject({ type: 'error' });
  });

  test.each([
    ['of another site', { origin: 'https://evil.example' }],
    ['of another local server', { origin: 'http://127.0.0.1:7860' }],
    ['whose name was pointed at this machine', { origin: 'http://evil.example', host: 'evil.example' }],
  ])('is not even listened to from a page %s', async (_who, headers) => {
    const server = await startTestServer(await createWorkspace());
    const socket = new WebSocket(new URL(socketPath, server.url.replace('http', 'ws')), subprotocol, { headers });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('403');
  });

  test('is new at every start of the server', async () => {
    const workspace = await createWorkspace();
    const first = await startTestServer(workspace);
    await first.close();
    const second = await startTestServer(workspace);
    expect(second.instanceId).toBe(first.instanceId);
    expect(second.panelKey).not.toBe(first.panelKey);
    expect(await pair(second, first.panelKey)).toMatchObject({ type: 'error', error: { code: 'link-void' } });
    expect(await pair(second, second.panelKey)).toMatchObject({ type: 'paired' });
  });
});

describe('the file of the server', () => {
  test.skipIf(process.platform === 'win32')('is for its user only, also where another file lay', async () => {
    const { dataDir } = await createWorkspace();
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'server.json'), '{}', { mode: 0o666 });
    const path = await writeServerFile(dataDir, notedServer('http://127.0.0.1:47860'));
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
  });

  test.skipIf(process.getuid?.() !== 0)('cannot be read by another user', async () => {
    const server = await startTestServer(await createWorkspace());
    const { dataDir } = await createWorkspace();
    await mkdir(dataDir, { recursive: true });
    const path = await writeServerFile(dataDir, server);
    await expect(run('cat', [path], { uid: 65_534, gid: 65_534 })).rejects.toThrow(/Permission denied/);
  });

  test.skipIf(process.platform === 'win32')(
    'replaces a link that was planted, and is not read through one',
    async () => {
      const { dataDir, folder } = await createWorkspace();
      await mkdir(dataDir, { recursive: true });
      const target = join(folder, 'planted');
      await writeFile(target, 'as it was');
      await symlink(target, join(dataDir, 'server.json'));
      const path = await writeServerFile(dataDir, notedServer('http://127.0.0.1:47860'));
      expect(await readFile(target, 'utf8')).toBe('as it was');
      expect((await lstat(path)).isSymbolicLink()).toBe(false);
      expect(await readServerFile(dataDir)).not.toBeNull();

      const other = await createWorkspace();
      await mkdir(other.dataDir, { recursive: true });
      await symlink(path, join(other.dataDir, 'server.json'));
      expect(await readServerFile(other.dataDir)).toBeNull();
    },
  );

  test('of a server that was killed is not believed when another program has its port', async () => {
    const heard: string[] = [];
    const stranger = createServer(({ url, headers }, response) => {
      heard.push(`${url} ${JSON.stringify(headers)}`);
      // As our server answers, as far as anybody can know.
      const facts = { name: 'tokenflow', version: '1', protocol: protocolVersion, instanceId: 'a'.repeat(32) };
      response.end(JSON.stringify({ ...facts, proof: 'b'.repeat(64) }));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    const { dataDir } = await createWorkspace();
    await mkdir(dataDir, { recursive: true });
    const noted = notedServer(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}`);
    await writeServerFile(dataDir, noted);
    expect(await findServer(dataDir)).toBeNull();
    expect(heard).toHaveLength(1);
    expect(heard.join()).not.toContain(noted.token);
    expect(heard.join()).not.toContain(noted.panelKey);
  });

  test('of a server that runs is believed', async () => {
    const workspace = await createWorkspace();
    const server = await startTestServer(workspace);
    await writeServerFile(workspace.dataDir, server);
    expect(await findServer(workspace.dataDir)).toMatchObject({ url: server.url, pid: process.pid });
  });
});

function notedServer(url: string) {
  const key = (digit: string): string => digit.repeat(64);
  return {
    url,
    instanceId: 'a'.repeat(32),
    panelKey: key('c'),
    token: key('d'),
    pageUrl: `${url}/server/#${key('e')}`,
  };
}
