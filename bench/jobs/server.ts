// The companion server as a process that measures itself: `fork` it with the folder and the engine's entry, and ask.

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createLog } from '../../companion-server/src/app/log.ts';
import { startServer } from '../../companion-server/src/app/server.ts';
import { testMedia } from '../../test/fixtures/media.ts';
import { benchModel } from '../engine-run.ts';

export interface Address {
  readonly url: string;
  readonly token: string;
}

/** Since the measurement before. */
export interface Measurement {
  readonly residentBytes: number;
  /** How late the event loop was, 99th percentile and worst. */
  readonly delayMs: { readonly p99: number; readonly max: number };
}

const [folder = '', engineEntry = ''] = process.argv.slice(2);
const delay = monitorEventLoopDelay({ resolution: 1 });
const isFake = engineEntry.includes('fixtures');
const server = await startServer({
  config: {
    ports: [0],
    cacheDir: join(folder, 'cache'),
    dataDir: join(folder, 'data'),
    logLevel: 'silent',
    models: new Map([['demo', benchModel()]]),
  },
  log: createLog({ level: 'silent', write: () => undefined }),
  engineEntry: new URL(engineEntry),
  ...(isFake ? { probe: () => Promise.resolve(testMedia) } : {}),
});
delay.enable();
process.on('message', () => {
  const [p99, max] = [delay.percentile(99) / 1e6, delay.max / 1e6];
  const measured: Measurement = {
    residentBytes: process.memoryUsage.rss(),
    delayMs: { p99, max },
  };
  delay.reset();
  process.send?.(measured);
});
process.on('disconnect', () => void server.close());
process.send?.({ url: server.url, token: server.token } satisfies Address);
