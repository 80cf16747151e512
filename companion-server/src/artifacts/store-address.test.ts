import { describe, expect, test } from 'vitest';
import { readStoreAddress } from './store-address.ts';

describe('the address of the artifacts', () => {
  test('is nothing where nothing is set', () => {
    expect([readStoreAddress(undefined), readStoreAddress('')]).toEqual([null, null]);
  });

  test('is a folder, or the folder of this system in a list for all', () => {
    expect(readStoreAddress('/mnt/clips', 'linux')).toEqual({ type: 'folder', root: '/mnt/clips' });
    const all = 'linux=/mnt/a=b;mac=/Volumes/clips';
    expect(readStoreAddress(all, 'linux')).toEqual({ type: 'folder', root: '/mnt/a=b' });
    expect(readStoreAddress(all, 'darwin')).toEqual({ type: 'folder', root: '/Volumes/clips' });
  });

  test('is a bucket, with a prefix, a server and a region', () => {
    const amazon = { type: 's3', bucket: 'clips', prefix: '', endpoint: null, region: 'us-east-1' };
    expect(readStoreAddress('s3://clips')).toEqual(amazon);
    expect(readStoreAddress('s3://clips/studio/one/?endpoint=http://nas:9000&region=eu-west-1')).toEqual({
      ...amazon,
      prefix: 'studio/one',
      endpoint: 'http://nas:9000',
      region: 'eu-west-1',
    });
  });

  test.each([
    ['clips', 'must be an absolute path'],
    ['linux=clips', 'must be an absolute path'],
    ['amiga=/x', "names the system 'amiga'; known are linux, windows, mac"],
    ['mac=/Volumes/clips', 'has no path for this system, which is linux'],
    ['s3://', 'must'],
    ['s3://key:secret@clips', 'must not hold a key'],
    ['s3://clips/a//b', 'must have names joined by /'],
    ['s3://clips?endpoint=nas:9000', 'must have an address of http or https as its endpoint'],
  ])('is refused as %s', (value, rule) => {
    expect(() => readStoreAddress(value, 'linux')).toThrow(`TOKENFLOW_STORE ${rule}`);
  });
});
