// The panel as it is built and packed: that it builds, that UXP can run it, and that the package is what it should be.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
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

/** The files of a ZIP by its directory, as another program would read it. */
function readZip(zip: Buffer): Map<string, Buffer> {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const count = zip.readUInt16LE(end + 10);
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    expect(zip.toString('latin1', at, at + 4)).toBe('PK\x01\x02');
    const [packedBytes, plainBytes] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 24)];
    const nameBytes = zip.readUInt16LE(at + 28);
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameBytes);
    expect(zip.toString('latin1', local, local + 4)).toBe('PK\x03\x04');
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const plain = inflateRawSync(zip.subarray(start, start + packedBytes));
    expect(plain.length).toBe(plainBytes);
    files.set(name, plain);
    at += 46 + nameBytes;
  }
  return files;
}

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
    const files = readZip(packCcx(folder));
    expect([...files.keys()]).toEqual(listFiles(folder));
    expect(files.get('main.js')).toEqual(await readFile(path.join(folder, 'main.js')));
    expect(files.get('manifest.json')?.toString('utf8')).toBe(manifestFor());
    expect([...files.keys()].every((name) => /^[\w./@-]+$/.test(name))).toBe(true);
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
