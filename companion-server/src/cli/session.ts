// A connection to a companion server for one command: one inside this process, or one that runs already.

import path from 'node:path';
import type { Client } from '../../../protocol/client/client.ts';
import { connect } from '../client/connect.ts';
import { dataDirOf, readConfig } from '../app/config.ts';
import { inversionsDir } from '../doctor/kept-files.ts';
import { EditError } from '../errors.ts';
import type { ModelReading } from '../models/readings.ts';
import { createLog } from '../app/log.ts';
import { createRunDir } from '../run-dir.ts';
import { version } from '../app/version.ts';
import type { CommandContext } from './command.ts';
import { readServerToken } from './server-file.ts';

const client = { name: 'tokenflow command line', version } as const;

/** How long a server that has gone away may take to come back. */
const patienceMs = 60_000;

export interface EditSession {
  /** Pass it to `editOverSocket`, as often as needed. */
  readonly connection: Client;
  /** Ends the connection, and the server with its engine if it was started here. */
  close(): Promise<void>;
}

/** Files that edits of the session may name, absolute paths by name, and how its model is read. */
export interface SessionAdapters {
  readonly loraFiles?: ReadonlyMap<string, string>;
  readonly embeddingFiles?: ReadonlyMap<string, string>;
  readonly vaeFiles?: ReadonlyMap<string, string>;
  readonly controlFiles?: ReadonlyMap<string, string>;
  /** How the model is read; as it says itself, or as was said when it was added, when left out. */
  readonly reading?: ModelReading | undefined;
  /** Whether the edits name a VAE: the model may lack its own. */
  readonly isVaeNamed?: boolean;
  /** Whether inverted clips outlive the session, and earlier ones are found. Default: yes. */
  readonly keepsInversions?: boolean;
}

/**
 * Starts a server on a free port and connects to it. Throws what `readConfig` throws for `modelDir`, or the default model
 * without it.
 */
export async function openLocalSession(
  context: CommandContext,
  modelDir?: string,
  {
    loraFiles,
    embeddingFiles,
    vaeFiles,
    controlFiles,
    reading,
    isVaeNamed,
    keepsInversions = true,
  }: SessionAdapters = {},
): Promise<EditSession> {
  const read = await readConfig({ port: 0, modelDir, reading, isVaeNamed, logLevel: 'error' }, context.env);
  if (read.models.size === 0) {
    throw new EditError('model-missing', 'The embedded model models/demo is not there.', {
      hint: 'Name a checkpoint folder in diffusers layout with --model DIR or TOKENFLOW_MODEL.',
    });
  }
  const log = createLog({ level: read.logLevel, write: (line) => context.stderr.write(line) });
  // Its jobs end with the command, so nothing of them is kept beside the jobs of the user's own server. An inverted clip
  // outlives the command, where that server keeps its own: the next edit of the clip finds it. The demo does without, because it tells how long edits take.
  const runDir = await createRunDir(read.cacheDir);
  try {
    const server = await context.startServer(
      {
        ...read,
        dataDir: runDir.path,
        inversionsDir: keepsInversions ? inversionsDir(read) : path.join(runDir.path, 'inversions'),
        library: read.library == null ? null : { ...read.library, looksAtStart: false, downloads: null },
        loras: new Map([...(read.loras ?? []), ...(loraFiles ?? [])]),
        vaes: new Map(vaeFiles ?? []),
        controlNets: new Map(controlFiles ?? []),
        embeddings: new Map([...(read.embeddings ?? []), ...(embeddingFiles ?? [])]),
      },
      log,
    );
    try {
      // A server in this process does not come back.
      const { url, token } = server;
      const connection = await connect({ url, token: () => token, client, patienceMs: 0 });
      return {
        connection,
        async close() {
          await connection.stop();
          await server.close();
          await runDir.remove();
        },
      };
    } catch (error) {
      await server.close();
      throw error;
    }
  } catch (error) {
    await runDir.remove();
    throw error;
  }
}

/** Connects to the server at `url`; its token comes from TOKENFLOW_TOKEN or the file that `serve` writes. */
export async function openRemoteSession({ env }: CommandContext, serverUrl: string): Promise<EditSession> {
  const url = parseServerUrl(serverUrl);
  const token = (): string | Promise<string> => env['TOKENFLOW_TOKEN'] ?? readServerToken(dataDirOf(env), url);
  const connection = await connect({ url, token, client, patienceMs });
  return { connection, close: () => connection.stop() };
}

/** The origin of a server's address. */
function parseServerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin;
  throw new EditError('invalid-request', `--server must be an address such as http://127.0.0.1:47860, got '${text}'.`);
}
