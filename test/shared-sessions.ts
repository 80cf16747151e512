// Sessions that tests share. Loading a graph takes ONNX Runtime far longer than running it on a tiny network, and a
// session keeps nothing from one run to the next: equal graphs with equal weights and options are loaded once per test file.

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSession, type Session } from '../companion-server/src/onnx/session.ts';
import type { Graph, Node } from '../companion-server/src/onnx/graph.ts';
import type { Feeds, Tensor } from './run-graph.ts';

const loaded = new Map<string, Promise<Session>>();

/**
 * As `createSession`, on one thread, but graphs that are equal, with the same bytes as weights in whatever files, share a
 * session, which `release` leaves open. `releaseSharedSessions` ends them all. Not for tests of loading, of `onRun` or of
 * memory.
 */
export const createSharedSession: typeof createSession = async (graph, options) => {
  const key = `${hashOf(graph)} ${JSON.stringify(options)}`;
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

/** The same for graphs that compute the same; what a graph is called does not count. */
function hashOf({ inputs, outputs, nodes, initializers }: Graph): string {
  const hash = createHash('sha256').update(JSON.stringify([inputs, outputs, nodes.map(namesOnly)]));
  for (const { value, ...where } of initializers) {
    hash.update(JSON.stringify(value));
    if ('bytes' in where) {
      hash.update(where.bytes);
      continue;
    }
    const { file, ...place } = where.stored;
    hash.update(JSON.stringify([contentOf(file), place]));
  }
  return hash.digest('hex');
}

function namesOnly({ inputs, outputs, ...node }: Node): object {
  return { ...node, inputs: inputs.map((input) => input?.name ?? null), outputs: outputs.map(({ name }) => name) };
}

const contents = new Map<string, string>();

/** The hash of a file's bytes, which is found again while the file is the same. */
function contentOf(file: string): string {
  const { ino, size, mtimeMs } = statSync(file);
  const key = JSON.stringify([file, ino, size, mtimeMs]);
  const known = contents.get(key) ?? createHash('sha256').update(readFileSync(file)).digest('hex');
  contents.set(key, known);
  return known;
}
