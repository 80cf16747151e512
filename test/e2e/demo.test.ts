// The demo command from outside, with an engine that gives every clip back as it came.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { readPixels } from '../../companion-server/src/media/testing/clips.ts';
import { runCliProcess } from './cli-process.ts';
import { createWorkspace } from './workspace.ts';

test('demo edits a sample clip three times and shows what came of it, in one page and in one picture', async () => {
  const workspace = await createWorkspace();
  const args = ['demo', '--model', 'model', '--sample', 'ball-grass', '--out', 'shown', '--no-open'];
  const { exitCode, stdout, stderr } = await runCliProcess(workspace, args);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('TokenFlow: "a red ball on grass" becomes "a blue ball on grass"');
  expect(stdout).toContain('frame by frame: "a red ball on grass" becomes "a blue ball on grass"');
  expect(stdout).toMatch(/“a red ball on snow” in [\d.]+ s: the inversion is used again/);
  const figures = /^(original|TokenFlow|frame by frame) +([\d.]+ %) +([\d.]+ %) +([\d.]+ %)/gm;
  const rows = [...stdout.matchAll(figures)].map(([, label, ...values]) => ({ label, values }));
  expect(rows.map(({ label }) => label)).toEqual(['original', 'TokenFlow', 'frame by frame']);
  // The same clip three times.
  expect(new Set(rows.map(({ values }) => values.join())).size).toBe(1);

  const folder = join(workspace.folder, 'shown');
  expect((await readdir(folder)).sort()).toEqual([
    'contact-sheet.png',
    'demo.gif',
    'edited.mp4',
    'index.html',
    'original.mp4',
    'per-frame.mp4',
    'second.mp4',
    'side-by-side.mp4',
  ]);
  expect(await readFile(join(folder, 'index.html'), 'utf8')).toContain('“a red ball on grass” becomes');
  expect(await probeClip(join(folder, 'side-by-side.mp4'))).toMatchObject({ frameCount: 24 });
  expect(await probeClip(join(folder, 'demo.gif'))).toMatchObject({ frameCount: 24 });
  const sheet = await readPixels(join(folder, 'contact-sheet.png'));
  expect(sheet.width).toBeGreaterThan(1000);
  expect(await workspace.leftovers()).toEqual([]);
});

test('demo refuses a sample that is none, and names those that there are', async () => {
  const workspace = await createWorkspace();
  const { exitCode, stderr } = await runCliProcess(workspace, ['demo', '--sample', 'wolf', '--no-open']);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("There is no sample 'wolf'.");
  expect(stderr).toContain('ball-grass');
});
