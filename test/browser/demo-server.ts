// A companion server with the embedded model and the real engine, on a folder that goes with it.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../companion-server/src/media/ffmpeg/binaries.ts';
import type { DownloadsConfig } from '../../companion-server/src/app/config.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { startCompanion } from '../companion.ts';

const demoDir = fileURLToPath(new URL('../../models/demo', import.meta.url));

export interface DemoServer extends RunningServer {
  readonly folder: string;
}

/** `downloads` are the models that its clients can download; none by default. */
export async function startDemoServer(downloads: DownloadsConfig | null = null): Promise<DemoServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-browser-'));
  const place = { cacheDir: join(folder, 'cache'), dataDir: join(folder, 'data') };
  const modelsDir = join(place.dataDir, 'models');
  const library = downloads === null ? null : { modelsDir, machine: null, looksAtStart: false, downloads };
  const server = await startCompanion({ ...place, modelDir: demoDir, modelName: 'demo', library }, 'sharing');
  return {
    ...server,
    folder,
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

export interface RestartedServer extends DemoServer {
  /** Its files stay. */
  stop(): Promise<void>;
  /** On the same port, after it was stopped. */
  startAgain(): Promise<void>;
}

/** A server whose engine makes an edit of any clip in no time, by turning its colours. */
export async function startFilmServer(): Promise<RestartedServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-films-'));
  const place = {
    cacheDir: join(folder, 'cache'),
    dataDir: join(folder, 'data'),
    modelDir: demoDir,
    modelName: 'demo',
  };
  let server = await startCompanion(place, 'filming');
  const ports = [Number(new URL(server.url).port)];
  return {
    ...server,
    folder,
    stop: () => server.close(),
    async startAgain() {
      server = await startCompanion({ ...place, ports }, 'filming');
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** The first frames of one of the embedded model's sample clips, as a file of their own; at `rate`, else their own. */
export async function cutSample(
  folder: string,
  name: string,
  frames: number,
  rate: string | null = null,
): Promise<string> {
  const out = join(folder, `${name}.mp4`);
  const source = join(demoDir, 'samples', `${name}.mp4`);
  const timed = rate === null ? [] : ['-r', rate];
  const args = ['-v', 'error', '-y', ...timed, '-i', source, '-frames:v', String(frames), '-pix_fmt', 'yuv420p', out];
  const { status, stderr } = spawnSync(await findProgram('ffmpeg'), args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ffmpeg could not cut ${name}: ${stderr}`);
  return out;
}
