// Broken, odd and malicious clips: each ends in a named error, or is read where it should be, within its time limit;
// and a server that is sent them goes on serving.

import fc from 'fast-check';
import { copyFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../companion-server/src/client/connect.ts';
import { uploadClip } from '../../companion-server/src/client/transfer.ts';
import { EditError } from '../../companion-server/src/errors.ts';
import { createLog } from '../../companion-server/src/app/log.ts';
import type { ClipInfo } from '../../companion-server/src/media/probe/clip-info.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { readPictureOf } from '../../companion-server/src/media/decode/picture.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { collect, makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { startServer } from '../../companion-server/src/app/server.ts';
import { programOf } from '../bundles.ts';

/** Far below what the readers allow themselves, far above what an honest clip of this size takes. */
const limitMs = 30_000;

let dir: string;
let good: string;
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const inDir = (name: string) => path.join(dir, name);

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-hostile-'));
  good = await makeClip(inDir('good.mp4'), [...testPicture('64x48', '25', 10), ...h264]);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function made(name: string, ...args: readonly string[]): Promise<string> {
  return makeClip(inDir(name), args);
}

async function written(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(inDir(name), content);
  return inDir(name);
}

/** The good clip with other bytes. */
async function patched(name: string, patch: (bytes: Buffer) => void, from = good): Promise<string> {
  const bytes = await readFile(from);
  patch(bytes);
  return written(name, bytes);
}

/** The place just behind the four letters of a box of an MP4. */
function boxAt(bytes: Buffer, name: string): number {
  const at = bytes.indexOf(name);
  if (at < 0) throw new Error(`There is no ${name}.`);
  return at + 4;
}

/** Reads all of the clip: what it is, its frames and one picture. */
async function readAll(file: string): Promise<{ clip: ClipInfo; frames: number }> {
  const clip = await probeClip(file);
  const frames = await collect(decodeFrames(clip));
  await readPictureOf(clip, clip.frameCount - 1, 32);
  return { clip, frames: frames.length };
}

/** The code that reading the clip ends with, or `read`. */
async function outcomeOf(file: string): Promise<string> {
  const start = performance.now();
  try {
    const { clip, frames } = await readAll(file);
    expect(frames).toBe(clip.frameCount);
    return 'read';
  } catch (error) {
    if (error instanceof EditError) return error.code;
    throw error;
  } finally {
    expect(performance.now() - start).toBeLessThan(limitMs);
  }
}

describe('a clip that is odd is read:', () => {
  const odd: [string, () => Promise<string>, Partial<ClipInfo>][] = [
    ['one frame', () => made('one.mp4', ...testPicture('64x48', '25', 1), ...h264), { frameCount: 1 }],
    [
      'odd sides',
      () =>
        made('odd.mkv', ...testPicture('64x48', '25', 3), '-vf', 'format=gbrp,crop=53:37:0:0:exact=1', '-c:v', 'ffv1'),
      { frameSize: { width: 53, height: 37 } },
    ],
    [
      'a varying rate',
      () =>
        made(
          'vfr.mp4',
          ...testPicture('64x48', '10', 8),
          '-vf',
          'select=1-eq(n\\,3)-eq(n\\,4)',
          '-vsync',
          'vfr',
          ...h264,
        ),
      { variableRate: true },
    ],
    [
      'ten bits',
      () => made('ten.mov', ...testPicture('64x48', '25', 3), '-c:v', 'prores_ks', '-pix_fmt', 'yuv422p10le'),
      { bitDepth: 10 },
    ],
    [
      'turned',
      () =>
        patched('turned.mp4', (bytes) =>
          [0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000].forEach((value, i) =>
            bytes.writeInt32BE(value, boxAt(bytes, 'tkhd') + 40 + 4 * i),
          ),
        ),
      { rotationDegrees: 90, frameSize: { width: 48, height: 64 } },
    ],
    ['the ending of another container', () => copied('ending.avi'), { frameCount: 10 }],
    [
      'a header that claims to last for years',
      () => patched('years.mp4', (bytes) => bytes.writeUInt32BE(0xffff_fff0, boxAt(bytes, 'mvhd') + 16)),
      { frameCount: 10 },
    ],
  ];
  async function copied(name: string): Promise<string> {
    await copyFile(good, inDir(name));
    return inDir(name);
  }

  test.each(odd)('%s', async (_name, make, expected) => {
    const start = performance.now();
    const { clip, frames } = await readAll(await make());
    expect(clip).toMatchObject(expected);
    expect(frames).toBe(clip.frameCount);
    expect(performance.now() - start).toBeLessThan(limitMs);
  });
});

describe('a clip that is broken ends in a named error:', () => {
  const cut = async (name: string, share: number, ...more: readonly string[]) => {
    const file = await made(name, ...testPicture('128x96', '25', 40), ...h264, ...more);
    await truncate(file, Math.floor((await readFile(file)).length * share));
    return file;
  };
  const broken: [string, string, () => Promise<string>][] = [
    ['zero bytes', 'clip-empty', () => written('zero.mp4', '')],
    ['one byte', 'clip-unreadable', () => written('byte.mp4', 'x')],
    ['cut off in its pictures', 'clip-unreadable', () => cut('front.mp4', 0.6, '-movflags', '+faststart')],
    ['cut off before its index', 'clip-unreadable', () => cut('back.mp4', 0.6)],
    ['cut off in its header', 'clip-unreadable', () => cut('head.mp4', 0.01)],
    ['text', 'clip-unreadable', () => written('text.mp4', 'This is not a video.\n'.repeat(500))],
    [
      'noise',
      'clip-unreadable',
      () => written('noise.mp4', Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * i * 31) >> 3))),
    ],
    ['sound only', 'clip-empty', () => made('sound.m4a', '-f', 'lavfi', '-i', 'sine=duration=0.2')],
    [
      'no track with pictures',
      'clip-empty',
      async () => made('titles.mkv', '-i', await written('titles.srt', '1\n00:00:00,000 --> 00:00:01,000\nHello\n')),
    ],
    ['a still picture', 'clip-unreadable', () => made('still.png', ...testPicture('64x48', '25', 1))],
    [
      'a drawing',
      'clip-unreadable',
      () => written('drawing.mp4', '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
    ],
    ['pictures of 65535 x 65535 in .mkv', 'clip-unreadable', hugeMkv],
    ['pictures of a million squared in .avi', 'clip-unreadable', hugeAvi],
    [
      'an index of two thousand million frames',
      'clip-unreadable',
      () => patched('frames.mp4', (bytes) => bytes.writeUInt32BE(0x7fff_ffff, boxAt(bytes, 'stsz') + 8)),
    ],
    [
      'pictures that are said to lie behind the end',
      'clip-unreadable',
      () => patched('behind.mp4', (bytes) => bytes.writeUInt32BE(0x7fff_0000, boxAt(bytes, 'stco') + 8)),
    ],
  ];

  test.each(broken)('%s', async (_name, code, make) => {
    expect(await outcomeOf(await make())).toBe(code);
  });

  /** Matroska keeps the sides in two elements, here of two bytes each. */
  async function hugeMkv(): Promise<string> {
    const file = await made('small.mkv', ...testPicture('320x272', '25', 2), '-c:v', 'ffv1');
    return patched(
      'huge.mkv',
      (bytes) => {
        const width = bytes.indexOf(Buffer.from([0xb0, 0x82, 320 >> 8, 320 & 255]));
        const height = bytes.indexOf(Buffer.from([0xba, 0x82, 272 >> 8, 272 & 255]));
        for (const element of [width, height]) bytes.writeUInt16BE(0xffff, element + 2);
      },
      file,
    );
  }

  async function hugeAvi(): Promise<string> {
    const file = await made('small.avi', ...testPicture('64x48', '25', 2), '-c:v', 'ffv1');
    return patched(
      'huge.avi',
      (bytes) => {
        const format = bytes.indexOf('strf') + 8;
        bytes.writeInt32LE(1_000_000, format + 4);
        bytes.writeInt32LE(1_000_000, format + 8);
      },
      file,
    );
  }
});

describe('a list that points elsewhere is not followed:', () => {
  const lists: [string, (target: string) => string][] = [
    ['local.m3u8', (target) => `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${target}\n#EXT-X-ENDLIST\n`],
    ['local.ffconcat', (target) => `ffconcat version 1.0\nfile ${target}\n`],
    ['unsafe.mp4', (target) => `ffconcat version 1.0\nfile '${target}'\nduration 1\n`],
    [
      'local.mpd',
      (target) =>
        `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    ],
    ['playlist.mp4', (target) => `#EXTM3U\n#EXTINF:1,\nfile://${target}\n`],
  ];

  test.each(lists)('%s', async (name, list) => {
    expect(await outcomeOf(await written(name, list(good)))).toBe('clip-unreadable');
  });

  test('nothing is asked of the network', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked++;
      response.end('x');
    });
    server.on('connection', () => asked++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.ts`;
    try {
      for (const [name, list] of lists) {
        expect(await outcomeOf(await written(`net-${name}`, list(url)))).toBe('clip-unreadable');
      }
      expect(asked).toBe(0);
    } finally {
      server.close();
    }
  });
});

test('a clip with bytes changed at random is read or refused by name, never more', async () => {
  const bytes = await readFile(good);
  const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });
  const known = ['read', 'clip-unreadable', 'clip-empty', 'ffmpeg-failed'];
  await fc.assert(
    fc.asyncProperty(changes, async (all) => {
      const spoilt = Buffer.from(bytes);
      for (const [at, value] of all) spoilt[at] = value;
      expect(known).toContain(await outcomeOf(await written('random.mp4', spoilt)));
    }),
    { numRuns: 12, seed: 4 },
  );
});

test('a server that is sent all this goes on serving', async () => {
  const modelDir = inDir('model');
  await mkdir(modelDir);
  await writeFile(path.join(modelDir, 'model_index.json'), '{}');
  const server = await startServer({
    config: {
      ports: [0],
      cacheDir: inDir('cache'),
      dataDir: inDir('data'),
      logLevel: 'silent',
      models: new Map([['model', modelDir]]),
    },
    log: createLog({ level: 'silent', write: () => undefined }),
    engineEntry: programOf('engines/copying'),
  });
  try {
    const { url, token } = server;
    const client = { name: 'test', version: '0' };
    const connection = await connect({ url, token: () => token, client, patienceMs: 0 });
    const upload = (clipPath: string) => uploadClip(connection, clipPath);
    const hostile: [string, string][] = [
      [await written('served.m3u8', `#EXTM3U\n#EXTINF:1,\n${good}\n`), 'clip-unreadable'],
      [await written('served.mp4', 'text'), 'clip-unreadable'],
      [await made('served.m4a', '-f', 'lavfi', '-i', 'sine=duration=0.1'), 'clip-empty'],
    ];
    for (const [file, code] of hostile) {
      await expect(upload(file)).rejects.toMatchObject({ code });
    }
    expect((await upload(good)).media).toMatchObject({ frameCount: 10 });
    await connection.stop();
  } finally {
    await server.close();
  }
});
