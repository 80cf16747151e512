// What `npm run release` puts together, as far as it needs no download.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';
import { readTar } from '../../companion-server/src/archives/tar.ts';
import { readZip } from '../../companion-server/src/archives/zip.ts';
import { bundleServer } from '../../scripts/release/bundle-server.ts';
import { withoutSymbols } from '../../scripts/release/executables.ts';
import { launchersOf } from '../../scripts/release/launchers.ts';
import { licenceOfFetched, licenceOfInstalled, thirdPartyText } from '../../scripts/release/licences.ts';
import { packArchive } from '../../scripts/release/pack.ts';
import { signed } from '../../scripts/release/sign.ts';
import { targets } from '../../scripts/release/targets.ts';

const root = path.join(import.meta.dirname, '../..');

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tokenflow release '));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('the bundles', () => {
  let folder: string;
  let packages: readonly string[];
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'tokenflow bundles '));
    packages = await bundleServer(folder);
    copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('are three programs that name no folder of the machine that made them', () => {
    expect(readdirSync(path.join(folder, 'server')).sort()).toEqual(['engine.mjs', 'main.mjs', 'probe.mjs']);
    for (const name of readdirSync(path.join(folder, 'server'))) {
      const code = readFileSync(path.join(folder, 'server', name), 'utf8');
      expect(code).not.toContain(root);
      expect(code).not.toMatch(/\.\/[\w/-]+\.ts['"], import\.meta\.url/);
    }
  });

  test('run where their packages are', () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    const main = path.join(folder, 'server', 'main.mjs');
    expect(execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8' })).toBe(`${version}\n`);
  });

  test('hold only code of packages that name their licence', () => {
    expect(packages).toEqual(
      expect.arrayContaining(['express', 'fluent-ffmpeg', 'pino', 'protobufjs', 'valibot', 'ws']),
    );
    for (const name of packages) {
      const { licence, text } = licenceOfInstalled(name, path.join(root, 'node_modules'));
      expect(licence).toMatch(/MIT|ISC|BSD|Apache/);
      expect(text.length).toBeGreaterThan(20);
    }
  });
});

describe('licences', () => {
  test('every part is in the list and has its text', () => {
    const parts = [licenceOfInstalled('ws', path.join(root, 'node_modules'))];
    const text = thirdPartyText(parts);
    expect(text).toMatch(/^- ws \d+\.\d+\.\d+: MIT$/m);
    expect(text).toContain('Permission is hereby granted, free of charge');
  });

  test('an old form of package.json is understood, and a package without a licence is refused', () => {
    const packed = (manifest: object): ArchivedFile[] => [
      {
        name: 'package.json',
        mode: 0o644,
        data: Buffer.from(JSON.stringify({ name: 'a', version: '1.0.0', ...manifest })),
      },
    ];
    expect(licenceOfFetched(packed({ licenses: [{ type: 'MIT' }] })).licence).toBe('MIT');
    expect(() => licenceOfFetched(packed({}))).toThrow('names no licence');
  });
});

describe('the scripts to click on', () => {
  test.each(targets)('$name has them with their permissions, under names that differ in more than case', (target) => {
    const files = launchersOf(target);
    const names = files.map(({ name }) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    for (const { name, mode } of files) expect(mode).toBe(name.endsWith('.txt') ? 0o644 : 0o755);
  });

  test('those of Windows have its ends of lines and ASCII only, whatever code page a console has', () => {
    for (const { data } of launchersOf({ platform: 'win32' })) {
      const text = Buffer.from(data).toString('latin1');
      expect(
        text
          .split('\n')
          .slice(0, -1)
          .every((line) => line.endsWith('\r')),
      ).toBe(true);

      expect(text).toMatch(/^[\x00-\x7f]*$/);
    }
  });

  test.skipIf(process.platform === 'win32')(
    'the script starts the program of its own folder, and without arguments opens the panel',
    () => {
      const folder = temporaryFolder();
      const script = launchersOf({ platform: 'linux' }).find(({ name }) => name === 'tokenflow');
      writeFileSync(path.join(folder, 'tokenflow'), script?.data ?? '', { mode: 0o755 });
      execFileSync('mkdir', ['-p', path.join(folder, 'runtime')]);
      writeFileSync(path.join(folder, 'runtime', 'node'), '#!/bin/sh\nprintf "%s|" "$@"\n', { mode: 0o755 });
      const run = (...args: string[]): string =>
        execFileSync(path.join(folder, 'tokenflow'), args, { encoding: 'utf8' });
      expect(run()).toBe(`${folder}/app/server/main.mjs|open|`);
      expect(run('edit', 'my clip.mp4')).toBe(`${folder}/app/server/main.mjs|edit|my clip.mp4|`);
    },
  );
});

const files: readonly ArchivedFile[] = [
  { name: 'LICENSE', mode: 0o644, data: Buffer.from('text') },
  { name: 'runtime/node', mode: 0o755, data: Buffer.alloc(5_000, 'n') },
];

describe('archives', () => {
  test.each(['a.zip', 'a.tar.gz'])('%s keeps permissions, and the same files give the same bytes', async (name) => {
    const folder = temporaryFolder();
    const [first, second] = [path.join(folder, name), path.join(folder, `again-${name}`)];
    await packArchive(files, 'TokenFlow', first);
    await packArchive(files, 'TokenFlow', second);
    const bytes = readFileSync(first);
    expect(readFileSync(second).equals(bytes)).toBe(true);
    const read = name.endsWith('.zip') ? [...readZip(bytes)] : readTar(gunzipSync(bytes));
    expect(read.map((file) => [file.name, file.mode, file.data.length])).toEqual([
      ['TokenFlow/LICENSE', 0o644, 4],
      ['TokenFlow/runtime/node', 0o755, 5_000],
    ]);
  });

  test('two names that differ in case only are refused', async () => {
    const twins = [...files, { name: 'License', mode: 0o644, data: Buffer.alloc(1) }];
    const out = path.join(temporaryFolder(), 'a.zip');
    await expect(packArchive(twins, 'TokenFlow', out)).rejects.toThrow('License and LICENSE differ in case only');
  });

  test.skipIf(process.platform !== 'linux')('a program without its symbols is smaller and still runs', () => {
    const file = path.join(temporaryFolder(), 'program');
    writeFileSync(file, withoutSymbols(readFileSync('/bin/echo')), { mode: 0o755 });
    expect(execFileSync(file, ['well'], { encoding: 'utf8' })).toBe('well\n');
    expect(statSync(file).size).toBeLessThan(statSync('/bin/echo').size);
    expect(withoutSymbols(Buffer.from('no program'))).toEqual(Buffer.from('no program'));
  });
});

describe('signing', () => {
  const program = { name: 'runtime/node.exe', mode: 0o755, data: Buffer.from('program') };
  const text = { name: 'README.txt', mode: 0o644, data: Buffer.from('text') };

  /** The command of a tool that adds a word to each of its files. */
  function signer(): string {
    const file = path.join(temporaryFolder(), 'sign.cjs');
    const code = "for (const file of process.argv.slice(3)) require('fs').appendFileSync(file, process.argv[2]);";
    writeFileSync(file, code);
    return `"${process.execPath}" "${file}" signed`;
  }

  test('the programs, and nothing else, are handed to the command that has the certificate', () => {
    const result = signed([program, text], { platform: 'win32' }, { TOKENFLOW_SIGN_WINDOWS: signer() });
    expect(result.map(({ data }) => Buffer.from(data).toString())).toEqual(['programsigned', 'text']);
    expect(result.map(({ mode }) => mode)).toEqual([0o755, 0o644]);
  });

  test('without a command nothing changes', () => {
    expect(signed([program, text], { platform: 'win32' }, {})).toEqual([program, text]);
  });

  test('a command that fails stops the release', () => {
    const env = { TOKENFLOW_SIGN_WINDOWS: `"${process.execPath}" -e "process.exit(3)" --` };
    expect(() => signed([program], { platform: 'win32' }, env)).toThrow(
      'TOKENFLOW_SIGN_WINDOWS failed with exit code 3',
    );
  });
});

test('a system that no archive is made for is refused with those that there are', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'scripts/release/main.ts', '--target', 'linux-x64,amiga'],
    { cwd: root, encoding: 'utf8' },
  );
  expect(status).not.toBe(0);
  expect(stderr).toContain("--target must be of win-x64, win-arm64, mac-arm64, linux-x64, got 'amiga'.");
});
