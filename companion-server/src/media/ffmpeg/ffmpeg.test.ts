import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { existsSync, statSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { findProgram } from './binaries.ts';
import { startFfmpeg } from './ffmpeg.ts';
import { decodeFrames } from '../decode/frames.ts';
import { probeClip } from '../probe/probe.ts';
import { makeClip, makeFolder, testPicture } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
afterEach(() => vi.unstubAllEnvs());

/** A program that does what the shell lines say, in place of ffmpeg. */
async function makeFake(name: string, lines: string): Promise<string> {
  await writeFile(inFolder(name), `#!/bin/sh\n${lines}\n`);
  await chmod(inFolder(name), 0o755);
  return inFolder(name);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('findProgram', () => {
  test('a wrong FFMPEG_PATH is refused, not passed over', async () => {
    await expect(findProgram('ffmpeg', { FFMPEG_PATH: '/no/such/ffmpeg' })).rejects.toMatchObject({
      code: 'ffmpeg-missing',
      message: 'FFMPEG_PATH is "/no/such/ffmpeg", which is not a program that can be run.',
    });
    vi.stubEnv('FFPROBE_PATH', folder.path);
    const clip = await makeClip(inFolder('clip.mp4'), testPicture('64x48', '25', 1));
    await expect(probeClip(clip)).rejects.toMatchObject({ code: 'ffmpeg-missing' });
  });

  test.skipIf(process.platform === 'win32')('looks on PATH before the npm packages', async () => {
    const fake = await makeFake('ffmpeg', 'exit 0');
    expect(await findProgram('ffmpeg', { PATH: `/no/such/folder:${folder.path}` })).toBe(fake);
  });

  test('finds the binaries of the npm packages where nothing is installed', async () => {
    expect(await findProgram('ffmpeg', { PATH: '' })).toContain('@ffmpeg-installer');
    expect(await findProgram('ffprobe', { PATH: '' })).toContain('@ffprobe-installer');
  });
});

describe.skipIf(process.platform === 'win32')('startFfmpeg', () => {
  const task = (signal: AbortSignal) => ({
    inputs: [{ source: inFolder('clip.mp4'), options: [] }],
    outputOptions: ['-f', 'rawvideo'],
    output: new PassThrough({ emitClose: false, autoDestroy: false }),
    purpose: 'read' as const,
    file: inFolder('clip.mp4'),
    signal,
  });

  /** A fake that writes its process id to stdout, and runs as long as it can. */
  async function startFake(name: string, lines: string, signal: AbortSignal, timeoutMs?: number) {
    vi.stubEnv('FFMPEG_PATH', await makeFake(name, `echo $$\n${lines}`));
    const job = { ...task(signal), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const run = await startFfmpeg(job);
    const first = await new Promise<Buffer>((resolve) => job.output.once('data', resolve));
    return { run, pid: Number(first.toString().split('\n')[0]) };
  }

  test('cancel ends a process that is blocked on its output', async () => {
    const controller = new AbortController();
    const { run, pid } = await startFake('chatty', 'exec yes', controller.signal);
    controller.abort();
    await expect(run.done).rejects.toMatchObject({ name: 'CanceledError' });
    expect(isAlive(pid)).toBe(false);
  });

  test('a run that takes too long is ended, and the clip is named', async () => {
    const { run, pid } = await startFake('slow', 'exec yes', new AbortController().signal, 200);
    await expect(run.done).rejects.toMatchObject({
      code: 'clip-unreadable',
      message: expect.stringContaining('could not be read within 0 seconds') as string,
    });
    expect(isAlive(pid)).toBe(false);
  });

  test('what reads a clip can neither write a file nor take memory without end', async () => {
    const file = inFolder('written');
    const limits = 'ulimit -v; ulimit -f';
    const hungry = 'dd if=/dev/zero of=/dev/null bs=6G count=1 2>&1 || echo refused';
    vi.stubEnv('FFMPEG_PATH', await makeFake('limited', `${limits}\n${hungry}\necho x > ${file}`));
    const job = task(new AbortController().signal);
    const run = await startFfmpeg(job);
    const [words] = await Promise.all([text(job.output), run.done.catch(() => job.output.end())]);
    expect(words.split('\n').slice(0, 2)).toEqual([String(4 * 1024 ** 2), '0']);
    expect(words).toContain('refused');
    expect(existsSync(file) && statSync(file).size > 0).toBe(false);
  });

  test('stop ends a process that ignores the polite signal', async () => {
    const stubborn = `trap '' TERM PIPE\necho ready\nwhile :; do sleep 0.05; done`;
    const { run, pid } = await startFake('stubborn', stubborn, new AbortController().signal);
    await run.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test('a program that cannot be started is ffmpeg-missing', async () => {
    await writeFile(inFolder('broken'), '#!/no/such/interpreter\n');
    await chmod(inFolder('broken'), 0o755);
    vi.stubEnv('FFMPEG_PATH', inFolder('broken'));
    const run = await startFfmpeg(task(new AbortController().signal));
    await expect(run.done).rejects.toMatchObject({ code: 'ffmpeg-missing' });
  });

  test('a crash is told from a bad clip', async () => {
    const clip = await makeClip(inFolder('good.mp4'), testPicture('64x48', '25', 1));
    vi.stubEnv('FFPROBE_PATH', await makeFake('crashing', 'kill -SEGV $$'));
    await expect(probeClip(clip)).rejects.toMatchObject({
      code: 'ffmpeg-failed',
      message: `FFmpeg crashed while it worked on "${clip}".`,
    });
  });

  test('cancel while frames are read ends the loop and the process', async () => {
    const clip = await probeClip(await makeClip(inFolder('long.mp4'), testPicture('320x240', '25', 100)));
    const controller = new AbortController();
    const read = async () => {
      for await (const frame of decodeFrames(clip, { signal: controller.signal })) {
        if (frame.index === 1) controller.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ name: 'CanceledError' });
  });
});
