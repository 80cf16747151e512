// A companion server inside this process, for tests and for what the bench measures through the panel.

import type { Config } from '../companion-server/src/app/config.ts';
import { createLog } from '../companion-server/src/app/log.ts';
import { programOf } from './bundles.ts';
import { startServer, type RunningServer, type ServerDeps } from '../companion-server/src/app/server.ts';

/** Where the server keeps its files, and its one model. */
export interface CompanionPlace {
  readonly cacheDir: string;
  readonly dataDir: string;
  readonly modelDir: string;
  /** What clients call the model. Default: model. */
  readonly modelName?: string;
  /** Where more models are looked for. Default: nowhere. */
  readonly library?: Config['library'];
  /** Tried in this order. Default: one that the system chooses. */
  readonly ports?: readonly number[];
  /** How other machines reach it. Default: not at all. */
  readonly remote?: Config['remote'];
  /** The machines that share its jobs. Default: none. */
  readonly farm?: Config['farm'];
}

/** What the server stands on instead of its own. */
export type CompanionParts = Partial<
  Pick<ServerDeps, 'leastFreeBytes' | 'log' | 'openArtifacts' | 'openQueue' | 'probe'>
>;

/** Starts it on a free port, without a log. `engine` names a file of fixtures/engines. The caller closes it. */
export function startCompanion(
  {
    cacheDir,
    dataDir,
    modelDir,
    modelName = 'model',
    library = null,
    ports = [0],
    remote = null,
    farm = null,
  }: CompanionPlace,
  engine = 'copying',
  parts: CompanionParts = {},
): Promise<RunningServer> {
  return startServer({
    config: {
      ports,
      remote,
      farm,
      cacheDir,
      dataDir,
      logLevel: 'silent',
      models: new Map([[modelName, modelDir]]),
      library,
    },
    log: createLog({ level: 'silent', write: () => undefined }),
    engineEntry: programOf(`engines/${engine}`),
    ...parts,
  });
}
