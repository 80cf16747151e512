import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { editOptions, readEditRequest } from './edit-options.ts';
import { parseArguments } from './options.ts';

function request(...args: string[]) {
  const { values, positionals } = parseArguments(['clip.mp4', '--prompt', 'a silver wolf', ...args], editOptions);
  return readEditRequest(values, positionals);
}

const usual = { scale: 1, start: 0, end: 1, guess: false };

describe('--control', () => {
  test('without it the settings say nothing of ControlNets', () => {
    expect(request().settings).not.toHaveProperty('controls');
    expect(request().settings).not.toHaveProperty('controlledFrames');
  });

  test('takes a kind, a ControlNet by file or name, and a strength', () => {
    const { settings, controlFiles } = request(
      ...['--control', 'canny', '--control', 'lineart:nets/lines.safetensors:0.8', '--control', 'tile:my-tile:1.5'],
    );
    expect(settings.controls).toEqual([
      { ...usual, kind: 'canny' },
      { ...usual, kind: 'lineart', net: 'lines', scale: 0.8 },
      { ...usual, kind: 'tile', net: 'my-tile', scale: 1.5 },
    ]);
    expect([...controlFiles]).toEqual([['lines', resolve('nets/lines.safetensors')]]);
  });

  test('a strength may follow the kind, and a drive of Windows is no separator', () => {
    expect(request('--control', 'luma:0.5').settings.controls).toEqual([{ ...usual, kind: 'luma', scale: 0.5 }]);
    const { settings, controlVideos } = request('--control', 'own:depth.safetensors:D:\\depth.mp4:0.7');
    expect(settings.controls).toEqual([{ ...usual, kind: 'own', net: 'depth', clip: 'video-1', scale: 0.7 }]);
    expect([...controlVideos]).toEqual([['video-1', resolve('D:\\depth.mp4')]]);
  });

  test('one file may serve twice; two files of one name have two names', () => {
    const { settings, controlFiles } = request(
      ...['--control', 'canny:a/net.safetensors', '--control', 'tile:a/net.safetensors'],
      ...['--control', 'luma:b/net.safetensors'],
    );
    expect(settings.controls?.map(({ net }) => net)).toEqual(['net', 'net', 'net (2)']);
    expect(controlFiles.size).toBe(2);
  });

  test('start, end, guess mode and frames are those of all', () => {
    const { settings } = request(
      ...['--control', 'canny', '--control', 'tile', '--control-start', '0.1', '--control-end', '0.6'],
      ...['--control-guess', '--control-frames', 'all'],
    );
    const all = { scale: 1, start: 0.1, end: 0.6, guess: true };
    expect(settings.controls).toEqual([
      { ...all, kind: 'canny' },
      { ...all, kind: 'tile' },
    ]);
    expect(settings.controlledFrames).toBe('all');
  });

  test.each([
    [['--control', 'depth'], "--control must begin with canny, lineart, scribble, luma, tile, own, got 'depth'."],
    [['--control', 'canny:net:clip.mp4'], "--control must look like canny[:NET][:X], got 'canny:net:clip.mp4'."],
    [['--control', 'own:net'], "--control must look like own:NET:VIDEO[:X], got 'own:net'."],
    [['--control', 'canny:2.5'], 'The strength of --control must be between 0 and 2, got 2.5.'],
    [['--control', 'canny', '--control-start', '1.5'], '--control-start must be between 0 and 1, got 1.5.'],
    [
      ['--control', 'canny', '--control-start', '0.6', '--control-end', '0.5'],
      '--control-end must be after the start at 0.6, got 0.5.',
    ],
    [['--control-guess'], '--control-guess needs --control.'],
    [['--control-frames', 'all'], '--control-frames needs --control.'],
    [
      ['--control', 'canny:./net.safetensors', '--server', 'http://127.0.0.1:47860'],
      '--control cannot name a file of this machine together with --server.',
    ],
  ])('%j is refused', (args, message) => {
    expect(() => request(...args)).toThrow(message);
  });
});
