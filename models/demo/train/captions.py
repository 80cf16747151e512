"""Token ids of several captions of every image, made once so that drawing a batch is a lookup."""
import numpy as np
import torch

from tokenizer import LENGTH, encode
from world import random_caption

VARIANTS = 6  # captions per image
NO_CAPTION = 0.12  # share of training samples with the empty caption


def caption_table(scenes):
    """int16 [N, VARIANTS, LENGTH] for the words of N scenes; depends on nothing else."""
    table = np.empty((len(scenes), VARIANTS, LENGTH), np.int16)
    for i, scene in enumerate(scenes):
        rng = np.random.default_rng((5, i))
        for variant in range(VARIANTS):
            table[i, variant] = encode(random_caption(rng, scene))
    return table


def draw_captions(table, rows, rng):
    """Token ids, int64 [len(rows), LENGTH]; some are of the empty caption."""
    ids = table[rows, rng.integers(0, VARIANTS, len(rows))].astype(np.int64)
    ids[rng.random(len(rows)) < NO_CAPTION] = encode("")
    return torch.from_numpy(ids)
