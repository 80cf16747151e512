import { describe, expect, test } from 'vitest';
import { practiceVocabulary } from '../../../protocol/testing/models.ts';
import { practiceWarning } from './practice-warning.ts';

const model = { title: 'Drawn world', vocabulary: practiceVocabulary };
const sample = practiceVocabulary.samples[0]?.sha256 ?? '';
const wolf = '0'.repeat(64);
const words = (prompt: string, sourcePrompt = '') => ({ prompt, sourcePrompt });

describe('the warning about a practice model', () => {
  test('names a foreign clip and the words that it does not know', () => {
    const text = practiceWarning(model, words('a shiny ball', 'a wolf'), wolf);
    expect(text).toContain('Drawn world is a practice model');
    expect(text).toContain('none of its sample clips');
    expect(text).toContain('never seen these words: shiny, wolf.');
    expect(text?.endsWith('\n')).toBe(true);
  });

  test('speaks only of what is wrong', () => {
    expect(practiceWarning(model, words('a blue ball on grass'), wolf)).not.toContain('never seen');
    expect(practiceWarning(model, words('a wolf'), sample)).not.toContain('sample clips');
    expect(practiceWarning(model, words('a blue ball on grass', 'a red ball on grass'), sample)).toBeNull();
  });

  test('is not given for a model of ordinary language', () => {
    expect(practiceWarning({ title: 'Real', vocabulary: null }, words('a shiny silver robotic wolf'), wolf)).toBeNull();
  });
});
