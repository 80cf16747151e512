// Uploads over loopback: the companion server's protocol against `curl` to a bare express route, and a plain copy.

import { execFile, fork, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { connect } from '../../companion-server/src/client/connect.ts';
import { uploadClip } from '../../companion-server/src/client/transfer.ts';
import { benchFolder } from '../folder.ts';
import { interleave, median, timed } from '../interleave.ts';
import type { Bench, BenchRow } from '../table.ts';
import type { Address } from './server.ts';

const mebibyte = 1024 * 1024;
const entry = path.join(import.meta.dirname, 'server.ts');

export const transferBench: Bench = {
  name: 'transfer',
  title: 'Uploads over loopback: ours, curl to a bare express route, and a plain file copy',
  async run({ isQuick, log }) {
    const sizeBytes = (isQuick ? 128 : 1024) * mebibyte;
    await mkdir(benchFolder(), { recursive: true });
    const folder = await mkdtemp(path.join(benchFolder(), 'transfer-'));
    const children: ChildProcess[] = [];
    const start = async (kind: string): Promise<Address> => {
      const kindFolder = path.join(folder, kind);
      await mkdir(kindFolder);
      const child = fork(entry, [kind, kindFolder], { execArgv: ['--import', 'tsx'] });
      children.push(child);
      const [address] = (await once(child, 'message')) as [Address];
      return address;
    };
    try {
      const clipPath = path.join(folder, 'clip.mp4');
      await writeRandom(clipPath, sizeBytes);
      const [companion, bare] = [await start('companion'), await start('bare')];
      const copyPath = path.join(folder, 'copy.mp4');
      const contest = await interleave(
        [
          () => uploadOurs(companion, clipPath),
          () => uploadByCurl(bare, clipPath),
          () => timed(() => copyFile(clipPath, copyPath)),
          () => hashAlone(sizeBytes),
        ],
        isQuick ? 3 : 7,
      );
      const [ours, curl, copy, hash] = contest.seconds.map((seconds) => sizeBytes / mebibyte / median(seconds));
      log(`sha-256 alone: ${rate(hash)}`);
      return rowsOf(sizeBytes, ours, curl, copy, 1 / contest.ratio);
    } finally {
      for (const child of children) child.disconnect();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function rowsOf(
  sizeBytes: number,
  ours: number | undefined,
  curl: number | undefined,
  copy: number | undefined,
  ratio: number,
): BenchRow[] {
  const reported = { target: '', isMet: true };
  const size = `${sizeBytes / mebibyte} MiB`;
  return [
    { figure: `upload of ${size}, our protocol`, value: rate(ours), ...reported },
    { figure: `upload of ${size}, curl to a bare express route`, value: rate(curl), ...reported },
    { figure: `plain copy of ${size}`, value: rate(copy), ...reported },
    {
      figure: 'throughput, ours : curl',
      value: `${ratio.toFixed(2)} x`,
      target: '>= 0.7',
      isMet: ratio >= 0.7,
    },
  ];
}

function rate(mebibytesPerSecond = NaN): string {
  return `${Math.round(mebibytesPerSecond)} MiB/s`;
}

/** Seconds from the first request to the reply that the clip is whole, written and hashed. */
async function uploadOurs({ url, token }: Address, clipPath: string): Promise<number> {
  const client = { name: 'bench', version: '0' };
  const steady = await connect({ url, token: () => token, client, patienceMs: 0 });
  try {
    let clipId = '';
    const seconds = await timed(async () => {
      ({ clipId } = await uploadClip(steady, clipPath));
    });
    await steady.request({ type: 'clip-delete', clipId });
    return seconds;
  } finally {
    await steady.stop();
  }
}

async function uploadByCurl({ url }: Address, clipPath: string): Promise<number> {
  const args = ['--silent', '--fail', '--upload-file', clipPath, `${url}/clip`];
  return timed(() => promisify(execFile)('curl', args));
}

/** What both ends of our protocol do beside sending. */
async function hashAlone(sizeBytes: number): Promise<number> {
  const block = randomBytes(mebibyte);
  const hash = createHash('sha256');
  return timed(() => {
    for (let done = 0; done < sizeBytes; done += block.length) hash.update(block);
    return Promise.resolve(hash.digest());
  });
}

async function writeRandom(file: string, sizeBytes: number): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for (let done = 0; done < sizeBytes; done += mebibyte) await handle.write(randomBytes(mebibyte));
  } finally {
    await handle.close();
  }
}
