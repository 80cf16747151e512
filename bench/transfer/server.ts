// One of the servers that the bench sends to, in a process of its own: the companion server, or a bare express route that
// writes what it receives to a file. Tells its address and ends with its parent.

import express from 'express';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createLog } from '../../companion-server/src/app/log.ts';
import { startServer } from '../../companion-server/src/app/server.ts';
import type { MediaFacts } from '../../protocol/media-facts.ts';

export interface Address {
  readonly url: string;
  readonly token: string;
}

/** The bytes are random: nothing is looked into, which takes as long for a short clip as for a long one. */
const media: MediaFacts = {
  durationSeconds: 1,
  frameCount: 25,
  frameRate: { numerator: 25, denominator: 1 },
  isVariableRate: false,
  size: { width: 64, height: 64 },
  rotationDegrees: 0,
  pixelFormat: 'yuv420p',
  bitDepth: 8,
  isInterlaced: false,
  audio: [],
  notices: [],
};

async function startCompanion(folder: string): Promise<Address> {
  const logLevel = 'silent';
  return startServer({
    config: { ports: [0], cacheDir: folder, dataDir: folder, models: new Map(), logLevel },
    log: createLog({ level: logLevel, write: () => undefined }),
    engineEntry: new URL('../../companion-server/src/engine/worker/process.ts', import.meta.url),
    probe: () => Promise.resolve(media),
  });
}

async function startBare(folder: string): Promise<Address> {
  const app = express();
  app.put('/clip', (request, response, next) => {
    pipeline(request, createWriteStream(path.join(folder, 'clip.bin'))).then(() => response.sendStatus(201), next);
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: '' };
}

const [kind, folder = ''] = process.argv.slice(2);
const { url, token } = await (kind === 'companion' ? startCompanion(folder) : startBare(folder));
process.send?.({ url, token });
process.once('disconnect', () => process.exit());
