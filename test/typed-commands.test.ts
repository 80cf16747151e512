// Every command that a text of the program names can be typed as it is printed: in a checkout, and in an installed program.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { allCommands } from '../companion-server/src/cli/all-commands.ts';
import { parseArguments } from '../companion-server/src/cli/options.ts';
import { nameInTerminal, programPlaces, typed, typedInCheckout } from '../companion-server/src/typed-command.ts';
import { typedCommand } from '../plugin/src/view/texts/typed-command.ts';
import { readSourceFiles } from './source-files.ts';

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const sources = readSourceFiles(['companion-server/src', 'plugin/src']).filter(
  ({ path }) => !/\.test\.ts$|\/testing\/|typed-command\.ts$/.test(path),
);

/** The arguments of `typed(...)` and `typedCommand(...)` in the source; what a template inserts is the word X. */
const namedCommands = sources.flatMap(({ path, text }) =>
  [...text.matchAll(/\btyped(?:Command)?\((?:'([^']*)'|`((?:\$\{[^}]*\}|[^`])*)`)\)/g)].map(
    ([, plain, template]) => [plain ?? (template ?? '').replaceAll(/\$\{[^}]*\}/g, 'X'), path] as const,
  ),
);

/** Throws when no command takes these words. */
function parse([name = '', ...args]: readonly string[]): void {
  const command = allCommands.find((known) => known.name === name);
  if (command === undefined) throw new Error(`There is no command ${name}.`);
  const [action] = parseArguments(args, command.options).positionals;
  const takesIt = action === undefined || action === 'X' || command.usage.includes(action);
  if (!takesIt) throw new Error(`${name} knows no ${action}: ${command.usage}`);
}

test('the source has the commands that are checked here', () => {
  expect(namedCommands.map(([words]) => words)).toEqual(
    expect.arrayContaining(['models pull ID', 'pair --revoke ID', 'models folders X /path/to/ComfyUI', 'panel-link']),
  );
});

describe('a command that a text names', () => {
  test.each(namedCommands)('%s (%s) is one of the program', (words) => {
    parse(words.split(' '));
  });

  test.each(namedCommands)('%s (%s) is one of a checkout', (words) => {
    const [, script = '', dashes = '--', ...args] = typedInCheckout(words)
      .replace(/^npm (?:run )?/, 'npm ')
      .split(' ');
    // A script of package.json ends with the name of the command.
    const name = /main\.ts (\S+)$/.exec(scripts[script] ?? '')?.[1] ?? '';
    expect(dashes).toBe('--');
    parse([name, ...args]);
  });
});

test('no other text names a command of npm that an installed program has not', () => {
  const own = /\bnpm run (?:package|release)\b/g;
  const named = sources.flatMap(({ path, text }) =>
    text
      .split('\n')
      .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line) && /\bnpm (?:run|start|ci)\b/.test(line.replaceAll(own, '')))
      .map((line) => `${path}: ${line.trim()}`),
  );
  expect(named).toEqual([]);
});

test('the server page names no command itself', () => {
  for (const name of ['index.html', 'page.js']) {
    expect(readFileSync(new URL(`../companion-server/web/${name}`, import.meta.url), 'utf8')).not.toMatch(
      /npm (run|start)/,
    );
  }
});

test('server and panel name a command in the same form', () => {
  for (const words of ['start', 'pair', 'models folders add FOLDER']) {
    expect(typedCommand(words)).toBe(typed(words));
    expect(typed(words)).toBe(typedInCheckout(words));
  }
});

describe('an installed program is called', () => {
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'tokenflow-path-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  };

  test('by its name where a folder of the PATH has it', () => {
    const home = folder();
    mkdirSync(join(home, 'bin'));
    writeFileSync(join(home, 'bin', 'tokenflow'), '');
    expect(nameInTerminal('linux', `/nowhere:${join(home, 'bin')}`, home)).toBe('tokenflow');
    expect(nameInTerminal('darwin', '/nowhere:~/bin', home)).toBe('tokenflow');
  });

  test.each(['linux', 'darwin', 'win32'] as const)('by its place on %s elsewhere', (platform) => {
    expect(nameInTerminal(platform, '', folder())).toBe(programPlaces[platform]);
  });

  test('on Windows by a place that cmd.exe understands, whatever is in the name of the user', () => {
    expect(programPlaces.win32).toMatch(/^"%LOCALAPPDATA%.*\.cmd"$/);
  });
});
