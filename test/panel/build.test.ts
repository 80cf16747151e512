// The panel as it is built and packed: that it builds, that UXP can run it, and that the package is what it should be.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPanel, checkDialect, folderOf, manifestFor } from '../../scripts/panel/build.mjs';
import { listFiles, packCcx } from '../../scripts/panel/ccx.mjs';
import { printComplaints } from '../../scripts/panel/dialect.mjs';

let outFolder: string;

beforeAll(async () => {
  outFolder = await mkdtemp(path.join(tmpdir(), 'tokenflow-panel-'));
  await buildPanel({ outFolder });
});
afterAll(() => rm(outFolder, { recursive: true, force: true }));

describe('the built panel', () => {
  test('holds to what UXP can do', () => {
    expect(printComplaints(checkDialect(outFolder))).toEqual([]);
  });

  test('is one classic script that loads only modules of UXP', async () => {
    const code = await readFile(path.join(folderOf('premiere', outFolder), 'main.js'), 'utf8');
    const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name);
    expect(new Set(required)).toEqual(new Set(['premierepro', 'uxp', 'fs', 'os']));
    expect(code).not.toMatch(/^\s*(import|export) /m);
    expect(code).not.toContain('node:');
  });

  test('for the web knows nothing of Premiere', async () => {
    const code = await readFile(path.join(folderOf('web', outFolder), 'main.js'), 'utf8');
    expect(code).not.toMatch(/require\(|premierepro/);
  });

  test.each(['premiere', 'web'] as const)('has everything that the page of %s names', async (name) => {
    const folder = folderOf(name, outFolder);
    const page = await readFile(path.join(folder, 'index.html'), 'utf8');
    const named = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '');
    expect(named.length).toBeGreaterThan(1);
    expect(listFiles(folder)).toEqual(expect.arrayContaining(named));
  });
});

describe('the package', () => {
  test('opens, and holds the built files and nothing else', async () => {
    const folder = folderOf('premiere', outFolder);
    const files = new Map(Object.entries(unzipSync(packCcx(folder))));
    expect([...files.keys()]).toEqual(listFiles(folder));
    expect(Buffer.from(files.get('main.js') ?? [])).toEqual(await readFile(path.join(folder, 'main.js')));
    expect(Buffer.from(files.get('manifest.json') ?? []).toString('utf8')).toBe(manifestFor());
    expect([...files.keys()].every((name) => /^[\w./@-]+$/.test(name))).toBe(true);
  });

  test('gives every file to all to read, as Unix writes permissions', () => {
    const zip = packCcx(folderOf('premiere', outFolder));
    const entries = centralDirectory(zip);
    expect(entries).toHaveLength(listFiles(folderOf('premiere', outFolder)).length);
    expect(new Set(entries.map(({ system, mode }) => `${system} ${mode.toString(8)}`))).toEqual(new Set(['3 100644']));
  });

  test('is the same, byte for byte, when it is built again', async () => {
    const again = await mkdtemp(path.join(tmpdir(), 'tokenflow-panel-again-'));
    try {
      await buildPanel({ outFolder: again });
      const packages = [outFolder, again].map((folder) => packCcx(folderOf('premiere', folder)));
      expect(packages[0]?.equals(packages[1] ?? Buffer.alloc(0))).toBe(true);
    } finally {
      await rm(again, { recursive: true, force: true });
    }
  });
});

/** The system that each file of a ZIP comes from, and its mode there (APPNOTE 6.3.10, sections 4.3.12 and 4.4.2). */
function centralDirectory(zip: Buffer): readonly { readonly system: number; readonly mode: number }[] {
  const signature = Buffer.from('PK\x01\x02', 'latin1');
  const entries = [];
  for (let at = zip.indexOf(signature); at !== -1; at = zip.indexOf(signature, at + 46)) {
    entries.push({ system: zip.readUInt8(at + 5), mode: zip.readUInt32LE(at + 38) >>> 16 });
  }
  return entries;
}
