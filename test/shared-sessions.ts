// Sessions that tests share. Loading a graph takes ONNX Runtime far longer than running it on a tiny network, and a
// session keeps nothing from one run to the next: equal graphs with equal options are loaded once per test file.

import { createHash } from 'node:crypto';
import { createSession, type Session } from '../companion-server/src/onnx/session.ts';
import { encodeModel, weightsFolder } from '../companion-server/src/onnx/serde.ts';
import type { Graph } from '../companion-server/src/onnx/graph.ts';
import type { Feeds, Tensor } from './run-graph.ts';

const loaded = new Map<string, Promise<Session>>();

/**
 * As `createSession`, on one thread, but equal graphs share a session, which `release` leaves open. `releaseSharedSessions`
 * ends them all. Not for tests of loading, of `onRun` or of memory.
 */
export const createSharedSession: typeof createSession = async (graph, options) => {
  const key = createHash('sha256')
    .update(encodeModel(graph))
    .update(JSON.stringify([weightsFolder(graph), options]))
    .digest('hex');
  const session = loaded.get(key) ?? createSession(graph, { ...options, threads: 1 });
  loaded.set(key, session);
  const shared = await session;
  return { run: (inputs) => shared.run(inputs), release: () => Promise.resolve() };
};

/** As `runGraph`, on a shared session. */
export async function runShared(graph: Graph, feeds: Feeds): Promise<Readonly<Record<string, Tensor>>> {
  return (await createSharedSession(graph, { provider: 'cpu' })).run(feeds);
}

/** Releases every shared session: after the last test, and before the weights that they are mapped to go. */
export async function releaseSharedSessions(): Promise<void> {
  const sessions = await Promise.allSettled(loaded.values());
  loaded.clear();
  for (const session of sessions) {
    if (session.status === 'fulfilled') await session.value.release();
  }
}
