// RFC 6455, from the raw socket: the server answers as it must, and outlives whatever it is sent.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { protocolVersion } from '../../protocol/version.ts';
import { frameCases } from './frame-cases.ts';
import type { Heard } from './framing-case.ts';
import {
  frame,
  opcodes,
  openRawSocket,
  openTcp,
  upgradeRequest,
  type HeardFrame,
  type RawSocket,
} from './raw-socket.ts';
import { startSharedServer, type SharedServer } from './shared-server.ts';
import { textCases } from './text-cases.ts';

const framingCases = [...frameCases, ...textCases];

let server: SharedServer;
beforeAll(async () => {
  server = await startSharedServer();
});
afterAll(() => server.close());

const say = (value: object): Buffer => frame({ opcode: opcodes.text, payload: JSON.stringify(value) });

/** A connection that has said hello and was welcomed. */
async function openWelcome(): Promise<RawSocket> {
  const socket = await openRawSocket(server.url);
  const client = { name: 'test', version: '0' };
  socket.tcp.write(say({ type: 'hello', requestId: 0, protocol: protocolVersion, client, token: server.token }));
  expect(toHeard(await socket.hear())).toEqual({ reply: 0 });
  return socket;
}

/** A frame of the server in the words of the cases; null where the connection ended without a close frame. */
function toHeard(heard: HeardFrame | null): Heard | null {
  if (heard === null) return null;
  const { opcode, payload } = heard;
  if (opcode === opcodes.pong) return { pong: payload.toString('latin1') };
  if (opcode === opcodes.close) {
    return { close: [payload.length < 2 ? null : payload.readUInt16BE(0)] };
  }
  return { reply: (JSON.parse(payload.toString('utf8')) as { requestId: number }).requestId };
}

test.each(framingCases)('$section: $name', async ({ sends, hears }) => {
  const socket = await openWelcome();
  for (const bytes of sends) {
    // Until the server has ended the connection: what is left is for nobody.
    if (!socket.tcp.writable) break;
    await new Promise<void>((resolve) => socket.tcp.write(bytes, () => resolve()));
  }
  for (const expected of hears) {
    const heard = toHeard(await socket.hear());
    if (!('close' in expected)) {
      expect(heard).toEqual(expected);
      continue;
    }
    const [code] = heard !== null && 'close' in heard ? heard.close : [];
    expect(expected.close).toContain(code);
    expect(await socket.hear()).toBeNull();
    return;
  }
  socket.tcp.write(say({ type: 'none', requestId: 77 }));
  expect(toHeard(await socket.hear())).toEqual({ reply: 77 });
});

test('a frame that is never finished holds nobody up', async () => {
  const whole = frame({ opcode: opcodes.text, payload: '{}' });
  for (let length = 1; length < whole.length; length++) {
    const { tcp } = await openWelcome();
    tcp.write(whole.subarray(0, length));
    tcp.resetAndDestroy();
  }
  const socket = await openWelcome();
  socket.tcp.write(frame({ opcode: opcodes.ping, payload: 'alive' }));
  expect(toHeard(await socket.hear())).toEqual({ pong: 'alive' });
});

test.each([
  ['4.2.1', 'another version', { 'sec-websocket-version': '12' }, [400, 426]],
  ['4.2.1', 'no version', { 'sec-websocket-version': '' }, [400, 426]],
  ['4.2.1', 'no key', { 'sec-websocket-key': '' }, [400]],
  ['4.2.1', 'a short key', { 'sec-websocket-key': 'c2hvcnQ=' }, [400]],
  ['4.2.1', 'a key that is no base64', { 'sec-websocket-key': '!'.repeat(24) }, [400]],
  ['4.2.1', 'another protocol to upgrade to', { upgrade: 'h2c' }, [400, 404, 426]],
  ['11.3.4', 'no subprotocol of ours', { 'sec-websocket-protocol': 'chat, superchat' }, [400]],
  ['10.2', 'the origin of another site', { origin: 'https://evil.example' }, [403]],
])('%s: an upgrade with %s is refused', async (_section, _what, headers, statuses) => {
  const tcp = await openTcp(server.url);
  const answer = new Promise<string>((resolve) => {
    let text = '';
    tcp.on('data', (bytes: Buffer) => (text += bytes.toString()));
    tcp.on('close', () => resolve(text));
  });
  tcp.write(upgradeRequest(server.url, headers));
  tcp.end();
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(await answer)?.[1]);
  expect(statuses).toContain(status);
});

test('there are at least a hundred cases, each with its own name', () => {
  const names = new Set(framingCases.map(({ section, name }) => `${section} ${name}`));
  expect(names.size).toBe(framingCases.length);
  expect(names.size).toBeGreaterThanOrEqual(100);
});
