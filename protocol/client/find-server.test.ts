import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ServerNote } from '../identity.ts';
import { hmacSha256 } from './hmac.ts';
import { createScene, type SceneOptions } from './testing/fake-client.ts';
import { code, token } from './testing/fake-state.ts';

const first = 'http://127.0.0.1:47860';
const second = 'http://127.0.0.1:47861';
const note: ServerNote = { port: 47_861, instanceId: '7'.padStart(32, '0'), panelKey: 'c'.repeat(64) };

function openScene(readNote: () => ServerNote | null, options: SceneOptions = {}) {
  const search = { addresses: [first, second], readNote: () => Promise.resolve(readNote()) };
  const scene = createScene({ ...options, search });
  scene.server.listensAt = second;
  return scene;
}

/** The types of what the server has heard. */
function heardBy({ server }: ReturnType<typeof openScene>): readonly string[] {
  return server.heard.map(({ type }) => type);
}

describe('a client that looks for its server', () => {
  test('finds it at the second port when nobody listens at the first', async () => {
    const scene = openScene(() => null);
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('online');
    expect(heardBy(scene).slice(0, 2)).toEqual(['identify', 'hello']);
  });

  test('does not wait for a program at the first port that says nothing', async () => {
    const scene = openScene(() => null);
    scene.server.silentAt.add(first);
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('connecting');
    await scene.clock.advance(300);
    expect(scene.client.link.name).toBe('online');
    // The connection to the silent one is not left open.
    expect(scene.clock.pending.every((delayMs) => delayMs >= 1_000)).toBe(true);
  });

  test('says within seconds that there is none, when only a silent program answers', async () => {
    const scene = openScene(() => null);
    scene.server.isUp = false;
    scene.server.silentAt.add(first);
    scene.client.start();
    await scene.clock.settle();
    await scene.clock.advance(2_900);
    expect(scene.client.link.name).toBe('connecting');
    await scene.clock.advance(200);
    expect(scene.client.link.name).toBe('unreachable');
    scene.server.isUp = true;
    await scene.clock.runUntil(() => scene.client.link.name === 'online');
  });

  test('that is stopped meanwhile opens nothing more', async () => {
    const scene = openScene(() => null);
    scene.server.silentAt.add(first);
    scene.client.start();
    await scene.clock.settle();
    await scene.client.stop();
    await scene.clock.advance(60_000);
    expect(scene.server.connections).toBe(1);
    expect(scene.clock.pending).toEqual([]);
  });
});

describe('the file of the server', () => {
  test('pairs the panel without a code', async () => {
    const scene = openScene(() => note, { isPaired: false });
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('online');
    expect(heardBy(scene).slice(0, 3)).toEqual(['identify', 'pair', 'hello']);
    expect(scene.kept).toEqual({ token, isOwn: true });
  });

  test('leads to the server although another program is first', async () => {
    const scene = openScene(() => note);
    scene.server.silentAt.add(first);
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('online');
  });

  test('pairs again when the pairing has ended', async () => {
    const scene = openScene(() => note);
    scene.server.refuse('hello', 'not-paired');
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('online');
    expect(heardBy(scene).slice(0, 5)).toEqual(['identify', 'hello', 'identify', 'pair', 'hello']);
  });

  test('of another server gives away neither its key nor the token of its server', async () => {
    const scene = openScene(() => ({ ...note, panelKey: 'd'.repeat(64) }));
    Object.assign(scene.kept, { isOwn: true });
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('unpaired');
    expect(heardBy(scene)).toEqual(['identify']);
    await scene.outcome(scene.client.pair(code));
    expect(scene.client.link.name).toBe('online');
  });

  test('is looked for again while the panel asks for a code', async () => {
    let left: ServerNote | null = null;
    const scene = openScene(() => left, { isPaired: false });
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('unpaired');
    left = note;
    // The server ends connections that say nothing.
    scene.server.cutAll();
    await scene.clock.runUntil(() => scene.client.link.name === 'online');
  });

  test('whose key is refused leaves the code, with the reason', async () => {
    const scene = openScene(() => note, { isPaired: false });
    scene.server.refuse('pair', 'link-void');
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link).toMatchObject({ name: 'unpaired', problem: { code: 'link-void' } });
  });
});

describe('the key of a link', () => {
  test('pairs once, in place of a code', async () => {
    const scene = createScene({ isPaired: false, linkKey: 'c'.repeat(64) });
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('online');
    expect(scene.kept.token).toBe(token);
  });

  test('is not used up by a panel that is paired already, and serves when that pairing has ended', async () => {
    const scene = createScene({ linkKey: 'c'.repeat(64) });
    scene.server.refuse('hello', 'not-paired');
    scene.client.start();
    await scene.clock.settle();
    expect(scene.client.link.name).toBe('online');
    expect(scene.server.heard.map(({ type }) => type).slice(0, 3)).toEqual(['hello', 'pair', 'hello']);
  });
});

test.each([
  ['', ''],
  ['0b'.repeat(20), 'Hi There'], // RFC 4231, section 4.2
  ['c4'.repeat(32), 'tokenflow 47860 '.padEnd(80, 'a')],
  ['ff'.repeat(64), 'a key of a whole block'],
])('the HMAC with the key %s of %j is that of Node', (key, text) => {
  const createSha256 = () => {
    const hash = createHash('sha256');
    return { bytes: 0, update: (bytes: Uint8Array) => void hash.update(bytes), digest: () => hash.digest('hex') };
  };
  const expected = createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex');
  expect(hmacSha256(createSha256, key, text)).toBe(expected);
});
