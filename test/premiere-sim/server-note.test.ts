// What the panel in Premiere reads of the server's file, on the real disk.

import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dataDirOf } from '../../companion-server/src/app/config.ts';
import { writeServerFile } from '../../companion-server/src/cli/server-file.ts';
import { createNoteReader } from '../../plugin/src/host/premiere/server-note.ts';
import { openTestProject, type TestProject } from './testing-flow.ts';

const server = {
  url: 'http://127.0.0.1:47861',
  instanceId: 'a'.repeat(32),
  panelKey: 'c'.repeat(64),
  token: 'd'.repeat(64),
  pageUrl: 'http://127.0.0.1:47861/server/#e',
};

let project: TestProject;
let lines: string[];
beforeEach(async () => {
  project = await openTestProject();
  lines = [];
});
afterEach(() => project.close());

/** A reader as on this system; `platform` as UXP names it. */
const readerOn = (platform: string) =>
  createNoteReader({ ...project.sim.uxp.surroundings, platform }, (line) => void lines.push(line));

describe.each([
  ['darwin', 'darwin'],
  ['win32', 'win10'],
  ['linux', 'linux'],
] as const)('on %s', (nodePlatform, uxpPlatform) => {
  test('the file is read where the server of that system writes it', async () => {
    const home = path.join(project.folder, 'home');
    const dataDir = dataDirOf({}, nodePlatform, home);
    await mkdir(dataDir, { recursive: true });
    await writeServerFile(dataDir, server);
    expect(await readerOn(uxpPlatform)()).toMatchObject({ port: 47_861, panelKey: server.panelKey });
    expect(lines).toEqual([]);
  });
});

describe('the panel gets nothing, and its log says why once,', () => {
  const folder = (): string => path.join(project.folder, 'home', 'Library', 'Application Support', 'tokenflow');

  test.each([
    ['when there is no file', () => Promise.resolve(), /ENOENT/],
    ['of a file that was cut short', () => writeFile(path.join(folder(), 'server.json'), '{"port":'), /JSON/],
    ['of a file of something else', () => writeFile(path.join(folder(), 'server.json'), '{"port":1}'), /instanceId/],
  ])('%s', async (_what, make, reason) => {
    await mkdir(folder(), { recursive: true });
    await make();
    const read = readerOn('darwin');
    expect([await read(), await read()]).toEqual([null, null]);
    expect(lines).toEqual([expect.stringMatching(reason)]);
  });

  test.skipIf(process.platform === 'win32')('of a link', async () => {
    await mkdir(folder(), { recursive: true });
    const elsewhere = path.join(project.folder, 'elsewhere');
    await mkdir(elsewhere);
    const planted = await writeServerFile(elsewhere, server);
    await symlink(planted, path.join(folder(), 'server.json'));
    expect(await readerOn('darwin')()).toBeNull();
    expect(lines).toEqual([expect.stringContaining('it is a link')]);
  });
});
