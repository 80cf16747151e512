// One companion server with a fake engine for all tests of a file. Unlike that of test/e2e it outlives a test.

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../companion-server/src/app/log.ts';
import { startServer, type RunningServer } from '../../companion-server/src/app/server.ts';
import { programOf } from '../bundles.ts';
import { testMedia } from '../fixtures/media.ts';

export interface SharedServer extends RunningServer {
  /** A file to upload: more than one chunk, and not a whole number of them. */
  readonly clipPath: string;
}

/** Ends with `close()`, with its files. */
export async function startSharedServer(): Promise<SharedServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-faults-'));
  const modelDir = join(folder, 'model');
  const clipPath = join(folder, 'clip.mp4');
  await mkdir(modelDir);
  await writeFile(join(modelDir, 'model_index.json'), '{}');
  await writeFile(clipPath, randomBytes(1_300_001));
  const server = await startServer({
    config: {
      ports: [0],
      cacheDir: join(folder, 'cache'),
      dataDir: join(folder, 'data'),
      logLevel: 'silent',
      models: new Map([['model', modelDir]]),
    },
    log: createLog({ level: 'silent', write: () => undefined }),
    engineEntry: programOf('engines/copying'),
    probe: () => Promise.resolve(testMedia),
  });
  return {
    ...server,
    clipPath,
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
