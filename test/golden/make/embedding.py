"""Makes embedding.safetensors beside a text encoder: a prompt with rows behind the encoder's table of tokens.

    python embedding.py CLIP_FOLDER [--seed N]

CLIP_FOLDER is test/fixtures/golden/clip/text_encoder_quick_gelu, or a folder like it. Its table grows as diffusers'
load_textual_inversion lets it grow: resize_token_embeddings, then the new rows are set. Ids and rows are drawn from the
seed, by default 7.
Made with Python 3.11, torch 2.13.0 (CPU), transformers 4.33.3.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPTextModel

VECTORS = 3


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument('folder', type=Path)
    arguments.add_argument('--seed', type=int, default=7)
    asked = arguments.parse_args()
    torch.manual_seed(asked.seed)
    model = CLIPTextModel.from_pretrained(asked.folder).float().eval()
    known = model.config.vocab_size
    vectors = torch.randn(VECTORS, model.config.hidden_size) * 0.5
    table = model.resize_token_embeddings(known + VECTORS)
    with torch.no_grad():
        table.weight[known:] = vectors
        ids = torch.randint(0, known, (1, 77))
        # The whole embedding after the third token, and its last row once more.
        ids[0, 3:6] = torch.arange(known, known + VECTORS)
        ids[0, 20] = known + VECTORS - 1
        hidden = model(input_ids=ids).last_hidden_state
    save_file({'vectors': vectors, 'input_ids': ids.int(), 'last_hidden_state': hidden.contiguous()},
              asked.folder / 'embedding.safetensors')


if __name__ == '__main__':
    main()
