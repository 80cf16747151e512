// CLIP's older checkpoints carry vocab.json and merges.txt. This builds from them the tokenizer.json that newer ones
// carry: byte-level BPE over lower-cased, NFC-normalised text (Radford et al., arXiv 2103.00020, section 2.4).

import { damagedTokenizer, parseTokenizerJson, type TokenizerConfig, type TokenizerTexts } from './tokenizer-config.ts';

/** CLIP's split of a prompt into words: contractions, letters, single digits, runs of anything else. */
export const clipWordPattern = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** A file with more tokens or merges than this counts as damaged; CLIP has 49,408. */
const maxVocabulary = 1_000_000;

/** The structure of a tokenizer.json for `vocab.json` and `merges.txt`. Throws EditError('model-damaged'). */
export function buildClipTokenizerJson(texts: TokenizerTexts, config: TokenizerConfig): object {
  const vocab = parseVocab(texts);
  const special = [...new Set([config.bos, config.eos])].map((content) => {
    const id = vocab[content];
    if (id === undefined) throw damagedTokenizer(`vocab.json has no token "${content}"`);
    return { id, content, special: true, normalized: false };
  });
  return {
    added_tokens: special,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: clipWordPattern }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      unk_token: config.unknown,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      vocab,
      merges: parseMerges(texts),
    },
  };
}

function parseVocab(texts: TokenizerTexts): Record<string, number> {
  const vocab = parseTokenizerJson(texts, 'vocab.json');
  const entries = Object.entries(vocab);
  const isId = (id: unknown) => Number.isInteger(id) && Number(id) >= 0 && Number(id) < maxVocabulary;
  const wrong = entries.find(([, id]) => !isId(id));
  if (wrong !== undefined || entries.length === 0) {
    throw damagedTokenizer(
      `vocab.json must give every token a number below ${maxVocabulary}, got ${JSON.stringify(wrong ?? {})}`,
    );
  }
  return vocab as Record<string, number>;
}

function parseMerges(texts: TokenizerTexts): [string, string][] {
  const lines = (texts['merges.txt'] ?? '').split(/\r?\n/);
  const merges: [string, string][] = [];
  lines.forEach((line, index) => {
    if (line === '' || (index === 0 && line.startsWith('#version'))) return;
    const [left, right, ...rest] = line.split(' ');
    if (!left || !right || rest.length > 0) {
      throw damagedTokenizer(
        `merges.txt line ${index + 1} must be two parts and a space, got ${JSON.stringify(line.slice(0, 80))}`,
      );
    }
    merges.push([left, right]);
  });
  if (merges.length > maxVocabulary) throw damagedTokenizer(`merges.txt has ${merges.length} lines`);
  return merges;
}
