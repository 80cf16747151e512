"""CLIP's byte-pair tokenizer with a vocabulary of its own: every caption word is one token, any other text still encodes."""
import re
from functools import lru_cache

from world import words

LENGTH = 20  # tokens per caption, start and end included


@lru_cache(maxsize=1)
def byte_characters():
    """CLIP's printable stand-in for each byte, in the order of its vocabulary."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def pieces(word):
    return [*word[:-1], word[-1] + "</w>"]


def merge(symbols, pair):
    merged, i = [], 0
    while i < len(symbols):
        if tuple(symbols[i : i + 2]) == pair:
            merged.append("".join(pair))
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return merged


def learn_merges(vocabulary):
    """Byte-pair merges, most frequent first, until every word is one symbol."""
    split, merges = {word: pieces(word) for word in vocabulary}, []
    while True:
        counts = {}
        for symbols in split.values():
            for pair in zip(symbols, symbols[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            return merges
        best = max(sorted(counts), key=counts.get)
        merges.append(best)
        split = {word: merge(symbols, best) for word, symbols in split.items()}


MERGES = learn_merges(words())
RANKS = {pair: rank for rank, pair in enumerate(MERGES)}
BYTES = list(byte_characters().values())
TOKENS = [*BYTES, *(b + "</w>" for b in BYTES), *map("".join, MERGES), "<|startoftext|>", "<|endoftext|>"]
VOCABULARY = {token: i for i, token in enumerate(TOKENS)}
START, END = VOCABULARY["<|startoftext|>"], VOCABULARY["<|endoftext|>"]


@lru_cache(maxsize=None)
def encode_word(word):
    symbols = pieces("".join(byte_characters()[b] for b in word.encode()))
    while len(symbols) > 1:
        best = min(zip(symbols, symbols[1:]), key=lambda pair: RANKS.get(pair, len(RANKS)))
        if best not in RANKS:
            break
        symbols = merge(symbols, best)
    return [VOCABULARY[symbol] for symbol in symbols]


@lru_cache(maxsize=None)
def encode(text):
    """Token ids of a caption, LENGTH of them: start, words, end, padded with end."""
    found = re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower())
    ids = [START, *(i for word in found for i in encode_word(word))][: LENGTH - 1]
    return ids + [END] * (LENGTH - len(ids))
