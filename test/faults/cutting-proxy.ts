// A TCP proxy that cuts each connection after a number of bytes in one direction. What it let through before arrives.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { createMediaCounter, type MediaSeen } from './media-counter.ts';

export interface CuttingProxy {
  readonly url: string;
  /** Connections that were cut. */
  cuts(): number;
  /** The media that each connection carried in the direction that is cut, in the order of the connections. */
  seen(): readonly MediaSeen[];
}

/** `nextCut` says after how many bytes the next connection is cut; after `maxCuts` cuts none is. */
export async function startCuttingProxy(
  targetPort: number,
  direction: 'to server' | 'to client',
  maxCuts: number,
  nextCut: () => number,
): Promise<CuttingProxy> {
  const counters: ReturnType<typeof createMediaCounter>[] = [];
  const sockets = new Set<Socket>();
  let cuts = 0;

  function serve(client: Socket): void {
    const server = connect(targetPort, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket.once('close', () => sockets.delete(socket)));
      socket.on('error', () => undefined);
    }
    const [from, to] = direction === 'to server' ? [client, server] : [server, client];
    const counter = createMediaCounter();
    counters.push(counter);
    let leftBytes = cuts < maxCuts ? nextCut() : Infinity;
    from.on('data', (bytes: Buffer) => {
      const passed = bytes.subarray(0, leftBytes);
      leftBytes -= passed.length;
      counter.read(passed);
      if (!to.write(passed)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      if (leftBytes > 0) return;
      cuts++;
      from.destroy();
      to.end();
    });
    to.pipe(from);
    from.once('close', () => to.end());
    to.once('close', () => from.destroy());
  }

  const listener = createServer(serve).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = listener.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cuts: () => cuts,
    seen: () => counters.map((counter) => counter.seen()),
  };
}
