// Whatever the server says of commands, options and variables, the panel knows it for what it is and does not show it.

import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { allCommands } from '../companion-server/src/cli/all-commands.ts';
import { programPlaces, typedInCheckout } from '../companion-server/src/typed-command.ts';
import { withoutCommand } from '../plugin/src/view/texts/without-command.ts';
import { readSourceFiles } from './source-files.ts';

/** The command line, the installation and the demo speak to a terminal only. */
const forTerminalsOnly = /^companion-server\/src\/(cli|installation|demo)\/|\.test\.ts$|\/testing\//;
const sources = readSourceFiles(['companion-server/src', 'protocol']).filter(
  ({ path }) => !forTerminalsOnly.test(path),
);

/** Every string and template of the source; `typed(...)` in it as a checkout has it, and X for all else that is inserted. */
function textsOf(text: string): string[] {
  const found: string[] = [];
  const insertedText = (node: ts.Expression): string => {
    if (!ts.isCallExpression(node) || node.expression.getText() !== 'typed') return 'X';
    const [words] = node.arguments;
    return typedInCheckout(words === undefined ? '' : read(words));
  };
  const read = (node: ts.Node): string => {
    if (ts.isStringLiteralLike(node)) return node.text;
    if (!ts.isTemplateExpression(node)) return 'X';
    return node.templateSpans.reduce(
      (all, { expression, literal }) => all + insertedText(expression) + literal.text,
      node.head.text,
    );
  };
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) found.push(read(node));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true));
  return found;
}

const options = new Set(allCommands.flatMap(({ options: known }) => Object.keys(known)));
const variables = new Set(
  sources.flatMap(({ text }) => [...text.matchAll(/\benv\['([A-Z0-9]+_[A-Z0-9_]+)'/g)].map(([, name = '']) => name)),
);
const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** What a person could only type into a terminal, by the program's own lists. */
function commandsIn(text: string): string[] {
  const words = text.split(/[\s"'`(),.;:]+/);
  return [
    ...words.filter((word) => word.startsWith('--') && options.has(word.slice(2))),
    ...words.filter((word) => variables.has(word)),
    ...Object.keys(scripts).filter((name) => new RegExp(`npm (run )?${name}\\b`).test(text)),
  ];
}

/** Sentences only: names of options and of variables alone are code. */
const advising = sources.flatMap(({ path, text }) =>
  textsOf(text)
    .filter((one) => one.trim().includes(' ') && commandsIn(one).length > 0)
    .map((one) => [one, path] as const),
);

describe('a text of the server that names what only a terminal can do', () => {
  test('is found in its sources', () => {
    expect(advising.length).toBeGreaterThan(30);
    expect(advising.map(([text]) => text)).toEqual(
      expect.arrayContaining(['Get a new one with npm run panel-link, or type the code of npm run pair.']),
    );
    expect(variables).toContain('TOKENFLOW_DATA');
  });

  test.each(advising)('is shown in the panel without that: %s (%s)', (text) => {
    expect(commandsIn(withoutCommand(text) ?? '')).toEqual([]);
  });
});

test.each(['tokenflow', ...Object.values(programPlaces)])(
  'a command of an installed program, %s, is known as one with every command that there is',
  (program) => {
    for (const { name } of allCommands) {
      expect(withoutCommand(`It does not run. Type ${program} ${name} X.`)).toBe('It does not run.');
    }
  },
);

test('every description of the catalogue says something without a terminal', () => {
  const { models } = JSON.parse(readFileSync(new URL('../models/catalog.json', import.meta.url), 'utf8')) as {
    readonly models: readonly { readonly goodFor: string }[];
  };
  expect(models.length).toBeGreaterThan(3);
  for (const { goodFor } of models) {
    const shown = withoutCommand(goodFor);
    expect(shown).not.toBeNull();
    expect(commandsIn(shown ?? '')).toEqual([]);
  }
});
