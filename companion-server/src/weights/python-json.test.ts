import { describe, expect, it } from 'vitest';
import { parsePythonJson } from './python-json.ts';

it('reads numbers that are none as texts', () => {
  const text = '{"a": -Infinity, "b": [Infinity, NaN, 1.5], "c": {"d": NaN}}';
  expect(parsePythonJson(text)).toEqual({ a: '-Infinity', b: ['Infinity', 'NaN', 1.5], c: { d: 'NaN' } });
});

it('leaves texts alone that speak of them', () => {
  const text = JSON.stringify({ 'to Infinity': 'and "-Infinity" \\', plain: 'NaN' });
  expect(parsePythonJson(text.replace('"NaN"', '"NaN", "x": NaN'))).toEqual({
    'to Infinity': 'and "-Infinity" \\',
    plain: 'NaN',
    x: 'NaN',
  });
});

describe('fails for what is no JSON either way', () => {
  it.each(['{', '', '{"a": Infinit}', '{"a": -NaN-}', 'Infinity Infinity'])('%j', (text) => {
    expect(() => parsePythonJson(text)).toThrow(SyntaxError);
  });
});
