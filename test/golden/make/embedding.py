"""Makes test/fixtures/golden/embedding.safetensors: a text encoder with rows behind its table of tokens.

    python embedding.py CLIP_FOLDER OUT

CLIP_FOLDER is test/fixtures/golden/clip/text_encoder_quick_gelu. Its table grows as diffusers' load_textual_inversion lets
it grow: resize_token_embeddings, then the new rows are set. Ids and rows are drawn from the seed below.
Made with Python 3.11, torch 2.13.0 (CPU), transformers 4.33.3.
"""

import sys

import torch
from safetensors.torch import save_file
from transformers import CLIPTextModel

SEED = 7
VECTORS = 3


def main() -> None:
    folder, out = sys.argv[1:]
    torch.manual_seed(SEED)
    model = CLIPTextModel.from_pretrained(folder).float().eval()
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
    save_file({'vectors': vectors, 'input_ids': ids.int(), 'last_hidden_state': hidden.contiguous()}, out)


if __name__ == '__main__':
    main()
