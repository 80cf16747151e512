import { expect, test } from 'vitest';
import { choosePreset, listSystemPresets, rankPresets } from '../../plugin/src/host/premiere/export/export-presets.ts';
import type { Surroundings } from '../../plugin/src/host/premiere/api.ts';
import type { HostStorage } from '../../plugin/src/host/host.ts';

const names = (paths: readonly string[]): string[] => paths.map((path) => path.replace(/^.*\//, ''));

test('ProRes comes before Match Source, and what cannot be used does not come at all', () => {
  const folder = '/presets/a/';
  const presets = [
    ...['Match Source - High bitrate.epr', 'Apple ProRes 422.epr', 'Apple ProRes 422 Proxy.epr'],
    ...['HEVC Match Source - High Bitrate.epr', 'Apple ProRes 422 HQ.epr', 'AAC Audio.epr'],
    ...['PNG Sequence (Match Source).epr', 'Apple ProRes 422 LT.epr', 'YouTube 1080p.epr'],
  ];
  expect(names(rankPresets(presets.map((name) => folder + name)))).toEqual([
    'Apple ProRes 422 HQ.epr',
    'Apple ProRes 422.epr',
    'Match Source - High bitrate.epr',
  ]);
});

/** A disk of folders only. */
function diskWith(folders: Readonly<Record<string, readonly string[]>>): Surroundings {
  const fs = {
    readdir: (folder: string) =>
      folder in folders ? Promise.resolve([...(folders[folder] ?? [])]) : Promise.reject(new Error('ENOENT')),
    lstat: () => Promise.resolve({ size: 1, isDirectory: () => false }),
  };
  const EncoderManager = {
    getExportFileExtension: (_sequence: unknown, path: string) =>
      path.includes('broken') ? Promise.reject(new Error('no')) : Promise.resolve('.mov'),
  };
  return { fs, platform: 'darwin', ppro: { EncoderManager } } as unknown as Surroundings;
}

const app = '/Applications/Adobe Premiere Pro 2026';
const inside = `${app}/Adobe Premiere Pro 2026.app/Contents/MediaIO/systempresets`;
const disk = diskWith({
  '/Applications': ['Adobe Photoshop 2026', 'Adobe Premiere Pro 2026', 'Notes.app'],
  [inside]: ['3F3F3F3F_4D6F6F56'],
  [`${inside}/3F3F3F3F_4D6F6F56`]: ['broken ProRes 422 HQ.epr', 'ProRes 422.epr', 'read me.txt'],
});
const storageWith = (picked: string | null): HostStorage =>
  ({ read: () => Promise.resolve(picked) }) as unknown as HostStorage;

test('presets are looked for where Premiere keeps them', async () => {
  expect(names(await listSystemPresets(disk))).toEqual(['broken ProRes 422 HQ.epr', 'ProRes 422.epr']);
  expect(await listSystemPresets(diskWith({}))).toEqual([]);
});

test('a preset that Premiere does not understand is passed over', async () => {
  const preset = await choosePreset(disk, storageWith(null), {} as never);
  expect(preset).toMatchObject({ extension: 'mov' });
  expect(names([preset.path])).toEqual(['ProRes 422.epr']);
});

test('the picked preset comes before all others', async () => {
  const preset = await choosePreset(disk, storageWith('/mine.epr'), {} as never);
  expect(preset.path).toBe('/mine.epr');
});

test('without any preset the person is asked', async () => {
  const choosing = choosePreset(diskWith({}), storageWith(null), {} as never);
  await expect(choosing).rejects.toMatchObject({ code: 'preset-missing' });
});
