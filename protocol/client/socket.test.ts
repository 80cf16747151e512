import { describe, expect, test } from 'vitest';
import { adaptWebSocket } from './socket.ts';

/** A WebSocket in this state, and what the client is told of it. */
function createFake(readyState: number) {
  const told: unknown[] = [];
  const sent: unknown[] = [];
  const webSocket = { readyState, send: (data: unknown) => void sent.push(data), close: () => undefined };
  const adapted = adaptWebSocket(webSocket, {
    onOpen: () => told.push('open'),
    onText: (text) => told.push(text),
    onBytes: (bytes) => told.push([...bytes]),
    onClose: (code, reason) => told.push([code, reason]),
  });
  return { ...adapted, webSocket, told, sent };
}

const [connecting, open, closing, closed] = [0, 1, 2, 3];

describe('a WebSocket that is adapted for the client', () => {
  test('tells bytes alike, whether a browser or Node has received them', () => {
    const { listener, told } = createFake(open);
    listener.onMessage('text');
    listener.onMessage(Uint8Array.of(1, 2).buffer);
    listener.onMessage(Uint8Array.of(3, 4));
    expect(told).toEqual(['text', [1, 2], [3, 4]]);
  });

  test('sends nothing unless it is open', () => {
    for (const state of [connecting, closing, closed]) {
      const { socket, sent } = createFake(state);
      socket.send('lost');
      expect(sent).toEqual([]);
    }
    const { socket, sent } = createFake(open);
    socket.send('heard');
    expect(sent).toEqual(['heard']);
  });

  test('ends once with the reason of its error, and tells nothing after its end', () => {
    const { listener, told } = createFake(closing);
    listener.onError('connect ECONNREFUSED');
    listener.onClose(1006, '');
    listener.onClose(1006, '');
    listener.onMessage('too late');
    expect(told).toEqual([[1006, 'connect ECONNREFUSED']]);
  });

  test('ends on an error alone where no close follows it, as in UXP', () => {
    const { listener, told } = createFake(connecting);
    listener.onError('');
    expect(told).toEqual([[1006, '']]);
  });
});
