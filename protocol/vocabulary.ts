// The words of a practice model: one that was trained on a small drawn world and knows nothing else. The panel builds
// prompts of these words, and both panel and command line warn of others. It comes with the model (`vocabulary.json`).

import { count, hex, list, nullable, object, text, where, type Infer } from './fields.ts';

const word = text({ min: 1, max: 100 });

const part = object({
  /** The name of the part in `sentence`. */
  name: text({ min: 1, max: 40 }),
  /** Each phrase with all its spellings; the first of them is the one that is written. Empty: no words at all. */
  phrases: list(list(text({ max: 100 }), 20, 'spellings'), 100, 'phrases'),
  /** The phrase of a sentence that names none; null where the part can be absent. */
  standIn: nullable(word),
});

const sampleName = where(text({ min: 1, max: 60 }), (name) =>
  /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)
    ? undefined
    : `must be small letters and digits, with single dashes, got '${name}'.`,
);

const sample = object({
  /** Its file is `NAME.mp4`. */
  name: sampleName,
  /** For users. */
  title: text({ min: 1, max: 100 }),
  sizeBytes: count,
  sha256: hex(64),
  /** What the clip shows. */
  sourcePrompt: word,
  /** Edits of it that work, the best first. */
  prompts: list(word, 20, 'texts'),
});
export type SampleInfo = Infer<typeof sample>;

export const modelVocabulary = object({
  /** The parts of a prompt in their order, in braces. `{a}` is the article, `a` or `an`. */
  sentence: text({ min: 1, max: 200 }),
  parts: list(part, 10),
  /** Clips of the model's world. */
  samples: list(sample, 50),
});
export type ModelVocabulary = Infer<typeof modelVocabulary>;

/** The name of the sample's file. */
export function sampleFileName({ name }: SampleInfo): string {
  return `${name}.mp4`;
}

export interface ReadPrompt {
  /** The phrase of each part that the prompt names, by the part's name. */
  readonly phrases: Readonly<Record<string, string>>;
  /** Words that the model has never seen. */
  readonly unknown: readonly string[];
}

const articles = ['a', 'an'];

/** Finds the phrases of a vocabulary in a prompt, the longest spelling first, and the words that are none of them. */
export function readPrompt({ sentence, parts }: ModelVocabulary, prompt: string): ReadPrompt {
  let rest = ` ${prompt
    .toLowerCase()
    .replaceAll(/[.,;:!?"]/g, ' ')
    .replaceAll(/\s+/g, ' ')} `;
  const found: Record<string, string> = {};
  // Phrases of several words come first: one of their words may be a phrase of another part.
  const spellings = parts
    .flatMap(({ name, phrases }) =>
      phrases.flatMap((phrase) => phrase.map((spelling) => ({ name, spelling, written: phrase[0] ?? '' }))),
    )
    .filter(({ spelling }) => spelling !== '')
    .sort((one, other) => other.spelling.length - one.spelling.length);
  for (const { name, spelling, written } of spellings) {
    if (Object.hasOwn(found, name) || !rest.includes(` ${spelling} `)) continue;
    rest = rest.replace(` ${spelling} `, ' ');
    found[name] = written;
  }
  const hasArticle = sentence.includes('{a}');
  const unknown = rest.split(' ').filter((one) => one !== '' && !(hasArticle && articles.includes(one)));
  const phrases = Object.fromEntries(Object.entries(found).filter(([, written]) => written !== ''));
  return { phrases, unknown: [...new Set(unknown)] };
}

/** The sentence with these phrases; stand-ins where a part needs one. */
export function writePrompt({ sentence, parts }: ModelVocabulary, phrases: ReadPrompt['phrases']): string {
  const words = sentence.split(/\s+/).flatMap((token) => {
    const name = /^\{(.+)\}$/.exec(token)?.[1];
    if (name === undefined || name === 'a') return [token];
    const phrase = phrases[name] ?? parts.find((one) => one.name === name)?.standIn ?? '';
    return phrase === '' ? [] : [phrase];
  });
  return words
    .map((token, index) => (token === '{a}' ? articleFor(words[index + 1] ?? '') : token))
    .filter((token) => token !== '')
    .join(' ');
}

function articleFor(next: string): string {
  if (next === '') return '';
  return /^[aeiou]/.test(next) ? 'an' : 'a';
}

/** `prompt` with `phrase` as its `part`; without that part when it was there already, but for parts that need a phrase. */
export function withPhrase(vocabulary: ModelVocabulary, prompt: string, part: string, phrase: string): string {
  const { [part]: before, ...others } = readPrompt(vocabulary, prompt).phrases;
  const canBeAbsent = vocabulary.parts.find(({ name }) => name === part)?.standIn === null;
  return writePrompt(vocabulary, before === phrase && canBeAbsent ? others : { ...others, [part]: phrase });
}
