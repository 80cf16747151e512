import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../ffmpeg/binaries.ts';
import type { ClipInfo } from '../probe/clip-info.ts';
import { probeClip } from '../probe/probe.ts';
import { detectCuts, findCuts } from './scene-cuts.ts';
import { makeClip, makeFolder } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '12', '-pix_fmt', 'yuv420p'];
const whole = ({ frameCount }: ClipInfo) => ({ startFrame: 0, endFrame: frameCount });

/** Scenes that differ: moving patterns of `lengths` frames each, one after the other. */
function scenes(lengths: readonly number[], rate: string, last: readonly string[] = []): string[] {
  const sources = ['testsrc2', 'mandelbrot', 'smptebars', 'testsrc', 'pal75bars', 'rgbtestsrc'];
  const inputs = lengths.flatMap((_, i) => [
    ...['-f', 'lavfi', '-i'],
    `${sources[i % sources.length] ?? ''}=size=160x90:rate=${rate}`,
  ]);
  const cut = lengths.map((n, i) => `[${i}]trim=end_frame=${n},format=yuv420p,setsar=1[s${i}]`);
  const joined = lengths.map((_, i) => `[s${i}]`).join('');
  const graph = [...cut, `${joined}concat=n=${lengths.length}[all]`, ...last].join(';');
  return [...inputs, '-filter_complex', graph, '-map', last.length === 0 ? '[all]' : '[out]', '-vsync', 'vfr', ...h264];
}

async function filtered(name: string, source: string, filter: string, frames: number) {
  const args = ['-f', 'lavfi', '-i', source, '-vf', filter, '-frames:v', String(frames), ...h264];
  return probeClip(await makeClip(inFolder(name), args));
}

describe('detectCuts', () => {
  test.each(['24000/1001', '12', '60'])('finds every hard cut at %s per second', async (rate) => {
    const file = inFolder(`cuts-${rate.replace('/', '-')}.mp4`);
    const clip = await probeClip(await makeClip(file, scenes([9, 5, 14, 4, 8], rate)));
    expect(clip.frameCount).toBe(40);
    expect(await detectCuts(clip, whole(clip))).toEqual([9, 14, 28, 32]);
  });

  test('counts from the first frame of a range in the middle', async () => {
    const clip = await probeClip(await makeClip(inFolder('r.mp4'), scenes([9, 5, 14, 6, 6], '25')));
    const inRange = (startFrame: number, endFrame: number) => detectCuts(clip, { startFrame, endFrame });
    expect(await inRange(10, 35)).toEqual([4, 18, 24]);
    expect(await inRange(8, 28)).toEqual([1, 6]);
    // A cut at the range's first frame and one at the frame to stop before are none inside it.
    expect(await inRange(9, 14)).toEqual([]);
    expect(await inRange(13, 15)).toEqual([1]);
    expect(await inRange(20, 21)).toEqual([]);
  });

  test('a varying rate: indices are those of the frames that are decoded', async () => {
    const drop = "[all]select='not(eq(mod(n,7),3)+eq(n,20)+eq(n,21))'[out]";
    const args = scenes([12, 13, 15], '30', [drop]);
    const clip = await probeClip(await makeClip(inFolder('vfr.mp4'), args));
    expect(clip.variableRate).toBe(true);
    expect(await detectCuts(clip, whole(clip))).toEqual([12, 25]);
    expect(await detectCuts(clip, { startFrame: 7, endFrame: 30 })).toEqual([5, 18]);
  });

  test('the sample clips are one scene each, flicker and fast motion included', async () => {
    const samples = path.join(import.meta.dirname, '../../../../models/demo/samples');
    const names = (await readdir(samples)).filter((name) => name.endsWith('.mp4'));
    expect(names.length).toBeGreaterThanOrEqual(6);
    for (const name of names) {
      const clip = await probeClip(path.join(samples, name));
      expect([name, await detectCuts(clip, whole(clip))]).toEqual([name, []]);
    }
  });

  test('a pan that starts at once, and never stops, has no cut', async () => {
    const from = (frame: number) => `crop=160:90:x='min(480,max(0,(n-${frame})*40))':y=20`;
    const bars = 'testsrc2=size=640x180:rate=25';
    for (const frame of [0, 5]) {
      const clip = await filtered(`pan-${frame}.mp4`, bars, from(frame), 16);
      expect(await detectCuts(clip, whole(clip))).toEqual([]);
    }
  });

  test('pictures that are held for two frames in a fast pan have no cut', async () => {
    const held = "crop=160:90:x='floor(n/2)*60':y=20";
    const clip = await filtered('held.mp4', 'testsrc2=size=640x180:rate=24', held, 16);
    expect(await detectCuts(clip, whole(clip))).toEqual([]);
  });

  test('fades, dissolves and a flash are no cuts', async () => {
    const picture = 'testsrc2=size=160x90:rate=25';
    const filters = {
      fades: 'fade=in:0:10,fade=out:20:10',
      'short fade': 'fade=out:10:3:color=white',
      flash: "geq=lum='if(eq(N,8),235,lum(X,Y))':cb='cb(X,Y)':cr='cr(X,Y)'",
    };
    for (const [name, filter] of Object.entries(filters)) {
      const clip = await filtered(`${name}.mp4`, picture, filter, 30);
      expect([name, await detectCuts(clip, whole(clip))]).toEqual([name, []]);
    }
    const fade =
      "[0]trim=end_frame=20,format=yuv420p[a];[1]trim=end_frame=20,format=yuv420p[b];[a][b]blend=all_expr='A*(1-clip((N-6)/8,0,1))+B*clip((N-6)/8,0,1)'";
    const args = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', picture.replace('testsrc2', 'smptebars')];
    const clip = await probeClip(await makeClip(inFolder('dissolve.mp4'), [...args, '-filter_complex', fade, ...h264]));
    expect(await detectCuts(clip, whole(clip))).toEqual([]);
  });

  test('the threshold decides, and it counts as ffmpeg does', async () => {
    const brighter = "drawbox=color=white@0.3:t=fill:enable='gte(n,8)'";
    const clip = await filtered('ffmpeg.mp4', 'testsrc2=size=160x90:rate=25', brighter, 16);
    const [score = NaN] = (await ffmpegScores(clip.path)).filter((value) => value > 0.2);
    expect(score).toBeLessThan(0.9); // At 1 it is cut off.
    expect(await detectCuts(clip, whole(clip), { threshold: score * 0.93 })).toEqual([8]);
    expect(await detectCuts(clip, whole(clip), { threshold: score * 1.07 })).toEqual([]);
  });

  test('can be canceled', async () => {
    const clip = await probeClip(await makeClip(inFolder('cancel.mp4'), scenes([4, 4], '25')));
    const work = detectCuts(clip, whole(clip), { signal: AbortSignal.abort() });
    await expect(work).rejects.toMatchObject({ name: 'CanceledError' });
  });
});

describe('findCuts', () => {
  test('differences that grow and fall by less than the threshold are never cuts', () => {
    const steps = fc.array(fc.double({ min: -19, max: 19, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(steps, (changes) => {
        let difference = 0;
        const differences = changes.map((change) => (difference = Math.min(255, Math.abs(difference + change))));
        expect(findCuts(differences, 0.2)).toEqual([]);
      }),
    );
  });

  test('cuts four frames apart are all found, wherever they are', () => {
    const gaps = fc.array(fc.integer({ min: 4, max: 40 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(gaps, fc.double({ min: 0, max: 30, noNaN: true }), (lengths, motion) => {
        let end = 0;
        const cuts = lengths.map((length) => (end += length));
        const differences = Array.from({ length: end + 5 }, () => motion);
        for (const cut of cuts) differences[cut] = motion + 21;
        expect(findCuts(differences, 0.2)).toEqual(cuts);
      }),
    );
  });
});

/** What ffmpeg's own filter says of each frame. */
async function ffmpegScores(file: string): Promise<number[]> {
  const filter = "scale=64:36:flags=lanczos,format=rgb24,select='gte(scene,0)',metadata=print:file=-";
  const args = ['-v', 'error', '-i', file, '-vf', filter, '-f', 'null', '-'];
  const { stdout } = await promisify(execFile)(await findProgram('ffmpeg'), args);
  return [...stdout.matchAll(/scene_score=([\d.]+)/g)].map(([, score]) => Number(score));
}
