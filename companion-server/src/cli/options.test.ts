import { describe, expect, test } from 'vitest';
import { EditError } from '../errors.ts';
import { parseArguments, type Options } from './options.ts';

const options = {
  prompt: { kind: 'text', placeholder: 'TEXT', help: '' },
  steps: { kind: 'number', placeholder: 'N', help: '' },
  codec: { kind: 'choice', choices: ['prores', 'h264'], help: '' },
  json: { kind: 'flag', help: '' },
} as const satisfies Options;

describe('parseArguments', () => {
  test('reads texts, numbers, choices, flags and positionals', () => {
    const args = ['clip.mp4', '--prompt', 'a wolf', '--steps=4', '--json'];
    expect(parseArguments(args, options)).toEqual({
      values: { prompt: 'a wolf', steps: 4, codec: undefined, json: true },
      positionals: ['clip.mp4'],
    });
  });

  test('a value may be empty or begin with one dash', () => {
    const { values } = parseArguments(['--prompt', '', '--steps', '-1'], options);
    expect(values).toMatchObject({ prompt: '', steps: -1 });
  });

  test.each([
    [['--promt', 'x'], 'There is no option --promt.', 'Did you mean --prompt?'],
    [['--banana'], 'There is no option --banana.', 'See --help for all options.'],
    [['-x'], 'There is no option -x.', 'See --help for all options.'],
    [['--prompt'], '--prompt needs a value.', undefined],
    [['--prompt', '--steps', '4'], '--prompt needs a value.', undefined],
    [['--steps', 'many'], "--steps must be a number, got 'many'.", undefined],
    [['--steps', ''], "--steps must be a number, got ''.", undefined],
    [['--codec', 'vp9'], "--codec must be one of prores, h264, got 'vp9'.", undefined],
    [['--json=yes'], "--json takes no value, got 'yes'.", undefined],
    [['--toString'], 'There is no option --toString.', 'See --help for all options.'],
  ])('%j is refused', (args, message, hint) => {
    const expected = new EditError('invalid-request', message, hint === undefined ? {} : { hint });
    expect(() => parseArguments(args, options)).toThrow(expected);
  });
});
