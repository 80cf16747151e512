// A paired client that goes about its business while others make trouble: it asks again and again and notes how long each
// answer took.

import { connect } from '../../companion-server/src/client/connect.ts';

export interface BusyClientReport {
  readonly answers: number;
  /** Milliseconds that one in a hundred answers exceeded. */
  readonly p99Ms: number;
  readonly longestMs: number;
}

export interface BusyClient {
  /** Ends it. Throws when a request was not answered or the connection was lost. */
  stop(): Promise<BusyClientReport>;
}

/** Asks at once again when an answer has come. */
export async function startBusyClient(url: string, token: string): Promise<BusyClient> {
  const connection = await connect({
    url,
    token: () => token,
    client: { name: 'busy', version: '0' },
    patienceMs: 0,
  });
  const times: number[] = [];
  let isStopping = false;
  const work = async (): Promise<void> => {
    while (!isStopping) {
      const start = performance.now();
      await connection.request({ type: 'job-list', afterJobId: null });
      times.push(performance.now() - start);
      // Room for the others in this process: intruders and server share its event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const done = work();
  // Reported by `stop`.
  done.catch(() => undefined);
  return {
    async stop() {
      isStopping = true;
      await done;
      await connection.stop();
      const sorted = times.toSorted((a, b) => a - b);
      return {
        answers: sorted.length,
        p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
        longestMs: sorted.at(-1) ?? 0,
      };
    },
  };
}
