import { expect, test } from 'vitest';
import { asTypedInRelease, typedProgram } from './typed-commands.ts';

test.each([
  ['Start it with npm start.', 'Start it with tokenflow start.'],
  ['elsewhere: npm start -- --port 7900.', 'elsewhere: tokenflow start --port 7900.'],
  ['See npm run pair -- --list.', 'See tokenflow pair --list.'],
  ['Download it: npm run models -- pull ID', 'Download it: tokenflow models pull ID'],
  ['npm run pair makes a new one', 'tokenflow pair makes a new one'],
  ['Run npm ci again; npm run release', 'Run npm ci again; npm run release'],
])('%s', (text, expected) => {
  expect(asTypedInRelease(text, ['models', 'pair'], 'tokenflow')).toBe(expected);
});

test('a name with the signs of a replacement is written as it is', () => {
  expect(asTypedInRelease('npm start', [], 'a$&b')).toBe('a$&b start');
});

test('on Windows the name is one that cmd.exe runs, whatever is in the name of the user', () => {
  expect(typedProgram('win32')).toMatch(/^"%LOCALAPPDATA%.*\.cmd"$/);
});

test('a JSON object stays one', () => {
  const typed = asTypedInRelease(JSON.stringify({ hint: 'See npm run pair.' }), ['pair'], typedProgram('win32'));
  expect(JSON.parse(typed)).toEqual({ hint: `See ${typedProgram('win32')} pair.` });
});
