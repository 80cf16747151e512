import { expect, test } from 'vitest';
import { readStartAddress } from './start-address.ts';

test.each([
  [[], 'start'],
  [['tokenflow://start'], 'start'],
  // Browsers add a slash, and Windows keeps capitals.
  [['TokenFlow://Start/'], 'start'],
  [['tokenflow://open'], 'open'],
] as const)('%j asks for %s', (args, action) => {
  expect(readStartAddress(args)).toBe(action);
});

test.each(['tokenflow://delete', 'tokenflow://start/../x', 'tokenflow://start?x', 'https://example.org', '"&calc', ''])(
  'no other address is taken: %s',
  (address) => {
    expect(() => readStartAddress([address])).toThrow(/start takes tokenflow:\/\/start or nothing/);
  },
);

test('nothing follows an address', () => {
  expect(() => readStartAddress(['tokenflow://start', '--model'])).toThrow(/got '--model'/);
});
