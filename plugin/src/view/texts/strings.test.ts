import { expect, test } from 'vitest';
import { withoutCommand } from '../problem-view.ts';
import { english } from './strings.ts';

/** Shown after "For experts" is pressed. */
const forExperts = ['link.startCommand', 'link.pairCommand', 'modelList.addCommand'];

/** Every sentence that is no function, by its path. */
function sentences(value: unknown, path: readonly string[] = []): (readonly [string, string])[] {
  if (typeof value === 'string') return [[path.join('.'), value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => sentences(inner, [...path, name]));
}

test('no sentence of the panel asks for a terminal, but those for experts', () => {
  const asking = sentences(english).filter(([, text]) => withoutCommand(text) === null);
  expect(asking.map(([path]) => path).sort()).toEqual([...forExperts].sort());
});

test.each([
  'Download it: npm run models -- pull stable-diffusion-1.5',
  'Start it with npm start.',
  'Close other programs, or choose a smaller working size with --size.',
  'Free some space, or set TOKENFLOW_DATA to a folder on a larger disk.',
])('advice that needs a terminal is not shown: %s', (advice) => {
  expect(withoutCommand(advice)).toBeNull();
});

test.each(['The edit "a wolf" is not finished. Wait for its end or cancel it.', 'Wait - then try again.'])(
  'other advice of the background app is shown as it is: %s',
  (advice) => {
    expect(withoutCommand(advice)).toBe(advice);
  },
);
