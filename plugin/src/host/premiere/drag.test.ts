import { expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { dragText } from './drag.ts';

const itemOf = (path: string): Record<string, string> | undefined =>
  (JSON.parse(dragText(path, 'Version 2') ?? '{}') as { items?: Record<string, string>[] }).items?.[0];

test.each([
  ['/Users/a/My film/TokenFlow/a #1 wölf.mov', 'file:///Users/a/My%20film/TokenFlow/a%20%231%20w%C3%B6lf.mov'],
  ['C:\\Films\\50% done\\a.mp4', 'file:///C:/Films/50%25%20done/a.mp4'],
  ['\\\\nas\\films\\a.mov', 'file://nas/films/a.mov'],
])('%s is named by its address', (path, uri) => {
  expect(itemOf(path)?.['uri']).toBe(uri);
});

test('the text is as Premiere asks for it', () => {
  const text = JSON.parse(dragText('/a/b.mov', 'a wolf, version 2') ?? '') as unknown;
  const { id } = JSON.parse(readFileSync(new URL('../../../../manifest.json', import.meta.url), 'utf8')) as {
    id: string;
  };
  expect(text).toEqual({
    version: '1.0.0',
    source: id,
    items: [
      { name: 'b.mov', display_name: 'a wolf, version 2', content_type: 'video/quicktime', uri: 'file:///a/b.mov' },
    ],
  });
});

test('a kind of file that Premiere does not take in a drag cannot be dragged', () => {
  expect(dragText('/a/b.mkv', 'x')).toBeNull();
});
