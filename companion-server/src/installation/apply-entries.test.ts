import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { applyEntries, removeEntries, withoutSetting, withSetting } from './apply-entries.ts';
import { entriesOf } from './entries.ts';
import { placesOf } from './places.ts';

async function createHome(): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), 'tokenflow-home '));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return home;
}

const entriesIn = (home: string, hasSystemd = true) =>
  entriesOf(placesOf({}, 'linux', home), { versionDir: '/v', version: '1.2.3', hasSystemd });

const listed = async (home: string): Promise<string[]> => (await readdir(home, { recursive: true })).sort();

test.each([true, false])('what is made is taken back, with the folders for it (systemd: %s)', async (hasSystemd) => {
  const home = await createHome();
  await writeFile(path.join(home, 'notes.txt'), '');
  expect(await applyEntries(entriesIn(home, hasSystemd))).toEqual([]);
  expect((await listed(home)).length).toBeGreaterThan(10);
  await removeEntries(entriesIn(home, hasSystemd), home);
  expect(await listed(home)).toEqual(['notes.txt']);
});

test('a second time changes nothing', async () => {
  const home = await createHome();
  await applyEntries(entriesIn(home));
  const before = await listed(home);
  expect(await applyEntries(entriesIn(home))).toEqual([]);
  expect(await listed(home)).toEqual(before);
});

test('a file that is there already is not written again: it may be in use', async () => {
  const home = await createHome();
  await applyEntries(entriesIn(home));
  const { launcher } = placesOf({}, 'linux', home);
  const { ino } = await stat(launcher);
  await applyEntries(entriesIn(home));
  expect((await stat(launcher)).ino).toBe(ino);
});

test('the launcher can be run', async () => {
  const home = await createHome();
  await applyEntries(entriesIn(home));
  const { launcher } = placesOf({}, 'linux', home);
  expect((await stat(launcher)).mode & 0o777).toBe(0o755);
});

test('a command of the same name that is of another program stays, and the user is told', async () => {
  const home = await createHome();
  const bin = path.join(home, '.local', 'bin');
  await mkdir(bin, { recursive: true });
  await symlink('/usr/bin/other', path.join(bin, 'tokenflow'));
  expect(await applyEntries(entriesIn(home))).toEqual([expect.stringContaining('is of another program')]);
  await removeEntries(entriesIn(home), home);
  expect(await readlink(path.join(bin, 'tokenflow'))).toBe('/usr/bin/other');
});

test('other lines of the list of programs stay as they are', async () => {
  const home = await createHome();
  const file = path.join(home, '.config', 'mimeapps.list');
  const text = '[Added Associations]\nimage/png=viewer.desktop\n\n[Default Applications]\ntext/plain=editor.desktop\n';
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await applyEntries(entriesIn(home));
  expect(await readFile(file, 'utf8')).toContain(
    '[Default Applications]\nx-scheme-handler/tokenflow=tokenflow.desktop\ntext/plain',
  );
  await removeEntries(entriesIn(home), home);
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('a section is made where there is none, and a line is there once', () => {
  const setting = { section: 'Default Applications', name: 'a/b', value: 'c.desktop' };
  const once = withSetting('[Other]\nx=y', setting);
  expect(once).toBe('[Other]\nx=y\n[Default Applications]\na/b=c.desktop\n');
  expect(withSetting(once, setting)).toBe(once);
  expect(withoutSetting(once, setting)).toBe('[Other]\nx=y\n');
});
