import { expect, test } from 'vitest';
import { english } from './strings.ts';
import { withoutCommand } from './without-command.ts';

/** Shown after "For experts" is pressed. */
const forExperts = ['link.startCommand', 'link.pairCommand', 'modelList.addCommand'];

/** Every sentence that is no function, by its path. */
function sentences(value: unknown, path: readonly string[] = []): (readonly [string, string])[] {
  if (typeof value === 'string') return [[path.join('.'), value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => sentences(inner, [...path, name]));
}

test('no sentence of the panel asks for a terminal, but those for experts', () => {
  const asking = sentences(english).filter(([, text]) => (withoutCommand(text) ?? '') !== text.trim());
  expect(asking.map(([path]) => path).sort()).toEqual([...forExperts].sort());
});
