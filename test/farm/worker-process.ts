// A worker as a process: `fork` it with its configuration as JSON and the entry of its engine.

import type { Config } from '../../companion-server/src/app/config.ts';
import { createLog } from '../../companion-server/src/app/log.ts';
import { startWorker } from '../../companion-server/src/app/worker.ts';

interface WorkerSettings extends Pick<Config, 'cacheDir' | 'dataDir' | 'farm'> {
  readonly modelDir: string;
  readonly lockMs: number;
  readonly engineEntry: string;
}

const { modelDir, lockMs, engineEntry, ...place } = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
const worker = await startWorker({
  config: { ...place, ports: [0], logLevel: 'warn', models: new Map([['model', modelDir]]) },
  log: createLog({ level: 'error', write: (line) => process.stderr.write(line) }),
  engineEntry: new URL(engineEntry),
  lockMs,
});
process.on('SIGTERM', () => void worker.close().then(() => process.exit()));
process.send?.('ready');
