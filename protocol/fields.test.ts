import { describe, expect, test } from 'vitest';
import {
  FieldError,
  flag,
  hex,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  openObject,
  optional,
  parse,
  recordOf,
  text,
  where,
  type Schema,
} from './fields.ts';

function refusalOf(schema: Schema<unknown>, value: unknown): FieldError {
  try {
    parse(schema, value, 'file');
  } catch (error) {
    if (error instanceof FieldError) return error;
    throw error;
  }
  throw new Error('The value was accepted.');
}

const place = object({ name: text({ min: 1, max: 5 }), index: integer(0, 9), note: optional(text({ max: 3 })) });

test.each<[string, Schema<unknown>, unknown, string]>([
  ['a text', text({ max: 3 }), 7, 'file must be a text, got 7.'],
  ['a long text', text({ min: 2, max: 3 }), 'word', 'file must have 2 to 3 characters, got 4.'],
  ['a number', number(0, 1), Number.POSITIVE_INFINITY, 'file must be between 0 and 1, got Infinity.'],
  ['a fraction', integer(0, 9), 0.5, 'file must be a whole number between 0 and 9, got 0.5.'],
  ['a large number', integer(0, 9), 10, 'file must be between 0 and 9, got 10.'],
  ['a flag', flag, 'no', "file must be true or false, got 'no'."],
  ['a choice', oneOf(['a', 'b']), 'c', "file must be one of a, b, got 'c'."],
  ['digits', hex(4), 'ABCD', "file must be 4 lower-case hexadecimal digits, got 'ABCD'."],
  ['what may be null', nullable(flag), undefined, 'file must be true or false, got nothing.'],
  ['an object', place, ['x', 1], 'file must be an object, got a list.'],
  ['a long list', list(flag, 1, 'flags'), [true, true], 'file must be a list of at most 1 flags, got a list.'],
  ['an item', list(place, 2), [{ name: 'x', index: 0 }, null], 'file.1 must be an object, got null.'],
  [
    'a large record',
    recordOf(flag, 1, 'flags'),
    { a: true, b: true },
    'file must be an object of at most 1 flags, got an object.',
  ],
  ['a value of a record', recordOf(flag, 1, 'flags'), { a: 1 }, 'file.a must be true or false, got 1.'],
])('%s that breaks its rule is refused with path, rule and value', (_name, schema, value, message) => {
  expect(refusalOf(schema, value)).toMatchObject({ message, code: 'invalid-request' });
});

describe('a field', () => {
  test('that is missing is refused by its own rule', () => {
    expect(refusalOf(place, { name: 'x' }).message).toBe(
      'file.index must be a whole number between 0 and 9, got nothing.',
    );
    expect(refusalOf(object({ place }), {}).message).toBe('file.place must be an object, got nothing.');
  });

  test('that is not known is named rather than the one that is missing for it', () => {
    expect(refusalOf(place, { name: 'x', indx: 3 }).message).toBe(
      'file.indx is not known; known are name, index, note.',
    );
  });

  test.each(['toString', 'constructor', '__proto__'])('called %s is as unknown as any other', (name) => {
    const value: unknown = JSON.parse(`{ "name": "x", "index": 1, "${name}": {} }`);
    expect(refusalOf(place, value).path).toBe(`file.${name}`);
  });

  test('with a long name of many lines is named in short, on one line', () => {
    const { path } = refusalOf(place, { [`\n${'x'.repeat(500)}`]: 1 });
    expect(path).toBe(`file. ${'x'.repeat(59)}...`);
  });

  test('that may be absent is absent from what is read as well', () => {
    expect(Object.keys(parse(place, { name: 'x', index: 1 }, 'file'))).toEqual(['name', 'index']);
    expect(refusalOf(place, { name: 'x', index: 1, note: 'much' }).path).toBe('file.note');
  });

  test('beside those of an open object stays as it is', () => {
    const value = { index: 1, other: { deep: [1] } };
    expect(parse(openObject({ index: integer(0, 9) }), value, 'file')).toEqual(value);
    expect(refusalOf(openObject({ index: integer(0, 9) }), { other: 1 }).path).toBe('file.index');
  });
});

describe('a further rule', () => {
  const range = where(
    object({ from: integer(0, 9), to: integer(0, 9) }),
    ({ from, to }) => (from < to ? undefined : { at: ['to'], text: `must be above ${from}, got ${to}.` }),
    'clip-empty',
  );

  test('is refused at the field and with the code that it names', () => {
    expect(refusalOf(list(range, 5), [{ from: 3, to: 3 }])).toMatchObject({
      path: 'file.0.to',
      complaint: 'must be above 3, got 3.',
      code: 'clip-empty',
    });
  });

  test('is asked of what is right otherwise alone', () => {
    expect(refusalOf(range, { from: 3, to: -1 })).toMatchObject({
      message: 'file.to must be between 0 and 9, got -1.',
      code: 'invalid-request',
    });
  });
});
