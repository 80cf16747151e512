import { expect, test } from 'vitest';
import { withoutCommand } from './without-command.ts';

test.each([
  'Download it: npm run models -- pull stable-diffusion-1.5',
  'Start it with npm start.',
  'Start it with tokenflow start.',
  'Start it with ~/Applications/TokenFlow.app/Contents/Resources/tokenflow start.',
  'Type the code of "%LOCALAPPDATA%\\Programs\\TokenFlow\\TokenFlow.cmd" pair into the panel.',
  'Close other programs, or choose a smaller working size with --size.',
  'Free some space, or set TOKENFLOW_DATA to a folder on a larger disk.',
  'Install FFmpeg (https://ffmpeg.org/download.html), or set FFMPEG_PATH.',
])('advice that needs a terminal is not shown: %s', (advice) => {
  expect(withoutCommand(advice)).toBeNull();
});

test.each([
  'The edit "a wolf" is not finished. Wait for its end or cancel it.',
  'Wait - then try again.',
  'TokenFlow 0.1.0 reads files of version 2.5 only',
  'Is it gone? Then get it again!',
])('other advice of the background app is shown as it is: %s', (advice) => {
  expect(withoutCommand(advice)).toBe(advice);
});

test('what is said before a command is shown, and nothing behind it, which may depend on it', () => {
  expect(withoutCommand('It has no VAE. Add it with tokenflow models add FILE --parts FOLDER.')).toBe('It has no VAE.');
  expect(withoutCommand('Try --device cpu. If that fails too, the checkpoint is damaged.')).toBeNull();
  expect(withoutCommand(null)).toBeNull();
});
