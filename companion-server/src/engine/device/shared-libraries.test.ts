import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainMissingCuda } from './cuda-libraries.ts';
import { missingLibraries, readDynamicSection } from './shared-libraries.ts';

const segmentBytes = 56;
/** Where the loaded library would lie: away from its place in the file, as in real ones. */
const loadAddress = 0x40_0000;

/** A library with nothing but its dynamic section: what it needs, and where it looks. */
function makeLibrary(needed: readonly string[], searchPath = ''): Uint8Array {
  const texts = [...needed, searchPath];
  const strings = new TextEncoder().encode(`\0${texts.join('\0')}\0`);
  const placeOf = (index: number) => 1 + texts.slice(0, index).reduce((sum, text) => sum + text.length + 1, 0);
  const dynamicAt = 64 + 2 * segmentBytes;
  const entries = [
    ...needed.map((_, i) => [1, placeOf(i)]),
    [29, placeOf(needed.length)],
    [5, loadAddress + dynamicAt + 16 * (needed.length + 4)],
    [10, strings.length],
    [0, 0],
  ];
  const sizeBytes = dynamicAt + 16 * entries.length + strings.length;
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, 2);
  view.setUint8(5, 1);
  view.setBigUint64(32, 64n, true);
  view.setUint16(56, 2, true);
  const writeSegment = (index: number, type: number, at: number, length: number) => {
    const start = 64 + index * segmentBytes;
    view.setUint32(start, type, true);
    view.setBigUint64(start + 8, BigInt(at), true);
    view.setBigUint64(start + 16, BigInt(loadAddress + at), true);
    view.setBigUint64(start + 32, BigInt(length), true);
  };
  writeSegment(0, 1, 0, sizeBytes);
  writeSegment(1, 2, dynamicAt, 16 * entries.length);
  entries.forEach(([tag = 0, value = 0], i) => {
    view.setBigUint64(dynamicAt + 16 * i, BigInt(tag), true);
    view.setBigUint64(dynamicAt + 16 * i + 8, BigInt(value), true);
  });
  bytes.set(strings, sizeBytes - strings.length);
  return bytes;
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-libraries-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function writeLibrary(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(dir, name);
  await writeFile(file, bytes);
  return file;
}

describe('a shared library', () => {
  it('says what it needs and where it looks for it', async () => {
    const file = await writeLibrary('lib-a.so', makeLibrary(['libone.so.1', 'libtwo.so'], '$ORIGIN:/opt/x'));
    expect(await readDynamicSection(file)).toEqual({
      needed: ['libone.so.1', 'libtwo.so'],
      searchPath: ['$ORIGIN', '/opt/x'],
    });
  });

  it.runIf(process.platform === 'linux')('of this system is read as well: Node needs the C library', async () => {
    expect((await readDynamicSection(process.execPath)).needed).toContain('libc.so.6');
    expect(await missingLibraries(process.execPath)).toEqual([]);
  });

  it('that is damaged or none at all is refused', async () => {
    const text = await writeLibrary('text.so', new TextEncoder().encode('x'.repeat(100)));
    await expect(readDynamicSection(text)).rejects.toThrow('it is no ELF file');
    const cut = await writeLibrary('cut.so', makeLibrary(['libone.so.1']).subarray(0, 150));
    await expect(readDynamicSection(cut)).rejects.toThrow('the file ends before byte');
  });
});

describe('what a library misses', () => {
  it('is what lies neither beside it nor in the library path nor in the system', async () => {
    const beside = path.join(dir, 'beside');
    const other = path.join(dir, 'other');
    await mkdir(beside);
    await mkdir(other);
    await writeFile(path.join(beside, 'libbeside.so.1'), '');
    await writeFile(path.join(other, 'libother.so.1'), '');
    const needed = ['libbeside.so.1', 'libother.so.1', 'libnowhere.so.13'];
    const file = path.join(beside, 'libself.so');
    await writeFile(file, makeLibrary(needed, '$ORIGIN'));
    expect(await missingLibraries(file, other)).toEqual(['libnowhere.so.13']);
    expect(await missingLibraries(file, '')).toEqual(['libother.so.1', 'libnowhere.so.13']);
  });
});

describe.runIf(process.platform === 'linux')('why CUDA cannot load', () => {
  it('is told by the names of the libraries', async () => {
    const file = await writeLibrary('libcuda-provider.so', makeLibrary(['libcublasLt.so.99', 'libc.so.6']));
    expect(await explainMissingCuda(file)).toBe(
      'the loader does not find libcublasLt.so.99, which libonnxruntime_providers_cuda.so needs',
    );
  });

  it('is that the provider itself is not installed', async () => {
    expect(await explainMissingCuda(path.join(dir, 'none.so'))).toContain('are not installed');
  });

  it('is unknown where everything is found', async () => {
    const file = await writeLibrary('libcomplete.so', makeLibrary(['libc.so.6']));
    expect(await explainMissingCuda(file)).toBeNull();
  });
});
