// How long a look into a clip may take, and how much of it is decoded.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { findProgram } from './binaries.ts';
import { runFfprobe } from './ffprobe.ts';
import { probeClip } from '../probe/probe.ts';
import { makeClip, makeFolder, testPicture } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());
afterEach(() => vi.unstubAllEnvs());

/** Puts a shell script in ffprobe's place. */
async function fakeProbe(name: string, script: string): Promise<void> {
  const file = path.join(folder.path, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('FFPROBE_PATH', file);
}

const isPosix = process.platform !== 'win32';

test.runIf(isPosix)('a clip that keeps telling something may take as long as it takes', async () => {
  await fakeProbe('steady', 'for i in 1 2 3 4 5 6 7 8; do echo "row $i"; sleep 0.25; done');
  let told = '';
  const onOutput = (text: string) => void (told += text);
  await runFfprobe('a.webm', [], { onOutput, silenceMs: 1_500 });
  expect(told).toContain('row 8');
});

test.runIf(isPosix)('a clip that falls silent is given up', async () => {
  await fakeProbe('silent', 'echo row; exec sleep 60');
  const run = runFfprobe('a.webm', [], { onOutput: () => undefined, silenceMs: 300 });
  await expect(run).rejects.toMatchObject({ code: 'clip-unreadable' });
});

test.runIf(isPosix).each([
  ['webm', ['-c:v', 'libvpx-vp9', '-auto-alt-ref', '1', '-lag-in-frames', '16', '-cpu-used', '8']],
  ['mkv', ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0']],
  ['mp4', ['-c:v', 'libsvtav1', '-preset', '12']],
])('only the beginning of a .%s is decoded to count its frames', async (ending, codec) => {
  const args = [...testPicture('128x96', '25', 120), ...codec, '-b:v', '200k'];
  const file = await makeClip(path.join(folder.path, `long.${ending}`), args);
  const refusal = 'case "$*" in *-read_intervals*) ;; *-show_frames*) echo "All of it?" >&2; exit 1;; esac';
  await fakeProbe(`thrifty-${ending}`, `${refusal}\nexec '${await findProgram('ffprobe')}' "$@"`);
  expect(await probeClip(file)).toMatchObject({ frameCount: 120, variableRate: false });
});
