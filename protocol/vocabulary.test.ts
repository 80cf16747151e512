import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from './fields.ts';
import { practiceVocabulary } from './testing/models.ts';
import { modelVocabulary, readPrompt, sampleFileName, withPhrase, writePrompt } from './vocabulary.ts';

const phrasesOf = (name: string) =>
  (practiceVocabulary.parts.find((part) => part.name === name)?.phrases ?? []).map(([phrase = '']) => phrase);
const unknownOf = (prompt: string) => readPrompt(practiceVocabulary, prompt).unknown;

describe('a vocabulary', () => {
  test('finds its phrases again in every sentence that is made of them', () => {
    const part = (name: string) => fc.option(fc.constantFrom(...phrasesOf(name)), { nil: '' });
    const anyPhrases = fc.record({
      style: part('style'),
      colour: part('colour'),
      object: fc.constantFrom(...phrasesOf('object')),
      place: part('place'),
    });
    fc.assert(
      fc.property(anyPhrases, (given) => {
        const phrases = Object.fromEntries(Object.entries(given).filter(([, phrase]) => phrase !== ''));
        expect(readPrompt(practiceVocabulary, writePrompt(practiceVocabulary, phrases))).toEqual({
          phrases,
          unknown: [],
        });
      }),
    );
  });

  test('tells words that it does not have, each once, and reads other spellings', () => {
    expect(unknownOf('A red wolf, in a meadow, wolf')).toEqual(['wolf']);
    expect(unknownOf('a shiny silver robotic wolf')).toEqual(['shiny', 'silver', 'robotic', 'wolf']);
    expect(readPrompt(practiceVocabulary, 'a painting of an orange ball').phrases).toEqual({
      style: 'a watercolor painting of',
      colour: 'orange',
      object: 'ball',
    });
    expect(unknownOf('a photo of a ball!')).toEqual([]);
  });

  test('does not take a phrase for known that a prompt names twice', () => {
    expect(unknownOf('a red red ball')).toEqual(['red']);
  });

  test('replaces a phrase, and takes it away when it is chosen again, unless its part needs one', () => {
    expect(withPhrase(practiceVocabulary, 'a red ball on grass', 'colour', 'orange')).toBe('an orange ball on grass');
    expect(withPhrase(practiceVocabulary, 'a red ball on grass', 'colour', 'red')).toBe('a ball on grass');
    expect(withPhrase(practiceVocabulary, 'a red ball', 'object', 'ball')).toBe('a red ball');
    expect(withPhrase(practiceVocabulary, '', 'place', 'on grass')).toBe('a ball on grass');
  });

  test.each(['../secret', 'a/b', 'A', 'a.mp4', ''])('has no sample named %j, since names become file names', (name) => {
    const [sample] = practiceVocabulary.samples;
    const changed = { ...practiceVocabulary, samples: [{ ...sample, name }] };
    expect(() => parse(modelVocabulary, changed, 'vocabulary')).toThrow(/vocabulary\.samples\.0\.name/);
  });

  test('names the file of a sample', () => {
    expect(practiceVocabulary.samples.map(sampleFileName)).toEqual(['ball-grass.mp4', 'car-city.mp4']);
  });
});
