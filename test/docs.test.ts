// What the documents name must be there: files, pictures, headings, npm scripts.

import { existsSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readText, repository } from './source-files.ts';

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'models/README.md',
  ...readdirSync(`${repository}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };

/** Targets of Markdown links and pictures, and of HTML pictures. */
function linksIn(text: string): readonly string[] {
  const markdown = [...text.matchAll(/\]\(([^)\s]+)\)/g)];
  const html = [...text.matchAll(/<(?:img|source|video)[^>]*\ssrc="([^"]+)"/g)];
  return [...markdown, ...html].map(([, target]) => target ?? '');
}

/** The names that headings have in links, by GitHub's rule. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(document: string, text: string): readonly string[] {
  return linksIn(text)
    .filter((target) => !/^(https?|mailto):/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? document : posix.join(posix.dirname(document), path);
      if (!existsSync(repository + file)) return true;
      const isHere = file === document;
      if (anchor === undefined || !file.endsWith('.md')) return false;
      return !anchorsOf(isHere ? text : readText(file)).includes(anchor);
    });
}

function unknownScripts(text: string): readonly string[] {
  const named = [...text.matchAll(/\bnpm (?:run )?(?:--silent )?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
  return named.filter((name) => !(name in scripts) && !npmCommands.includes(name));
}

/** What npm itself can do, as far as the documents ask for it. */
const npmCommands = ['ci', 'install', 'rebuild'];

/** `npm` as a word of a sentence is no command: only code counts. */
function codeIn(text: string): string {
  const indented = text.split('\n').filter((line) => line.startsWith('    '));
  const quoted = [...text.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map(([code]) => code);
  return [...indented, ...quoted].join('\n');
}

describe.each(documents)('%s', (document) => {
  const text = readText(document);

  test('links to what exists', () => {
    expect(brokenLinks(document, text)).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    expect(unknownScripts(codeIn(text))).toEqual([]);
  });
});

describe('the rules, on a document that breaks them', () => {
  test.each([
    '[gone](docs/gone.md)',
    '![gone](docs/gone.png)',
    '<img alt="" src="docs/gone.png">',
    '[gone](#gone)',
    '[gone](CONTRIBUTING.md#gone)',
  ])('%s', (text) => {
    expect(brokenLinks('README.md', text)).toHaveLength(1);
  });

  test('a heading is found', () => {
    expect(brokenLinks('README.md', '# What it is, and why\n\n[see](#what-it-is-and-why)')).toEqual([]);
  });

  test('a script that is not there', () => {
    expect(unknownScripts(codeIn('Run `npm run gone` and `npm test`.'))).toEqual(['gone']);
  });
});
