"""Makes test/fixtures/golden/tiny-decoder: diffusers' AutoencoderTiny (TAESD) of random weights, and what it decodes.

    python tiny_decoder.py FOLDER [--seed N]

FOLDER gets diffusion_pytorch_model.safetensors (float16, names of diffusers), the same decoder in the names of the original
code (taesd_decoder.safetensors: layers counted from the clamping, which has no weights), and golden.safetensors:
  latents        what is decoded, also far outside of what the clamping leaves
  image          AutoencoderTiny.decode of it, in float32 from the weights rounded to float16
Made with Python 3.11, torch 2.13.0 (CPU), diffusers 0.35.2.
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file

WIDTHS = (8, 8, 8, 8)
LATENTS = (2, 4, 3, 5)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=Path)
    parser.add_argument('--seed', type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    model = AutoencoderTiny(encoder_block_out_channels=WIDTHS, decoder_block_out_channels=WIDTHS, num_encoder_blocks=(1, 1, 1, 1))
    # As initialised the blocks hardly change what they get: a wrong one would not be seen.
    weights = {name: (2 * value).half() for name, value in model.state_dict().items()}
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    latents = 2 * torch.randn(LATENTS)
    with torch.no_grad():
        image = model.eval().decode(latents).sample
    arguments.folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, arguments.folder / 'diffusion_pytorch_model.safetensors')
    save_file(original_names(weights), arguments.folder / 'taesd_decoder.safetensors')
    save_file({'latents': latents, 'image': image.contiguous()}, arguments.folder / 'golden.safetensors')


def original_names(weights: dict) -> dict:
    names = {}
    for name, value in weights.items():
        if not name.startswith('decoder.layers.'):
            continue
        number, rest = name.removeprefix('decoder.layers.').split('.', 1)
        names[f'{int(number) + 1}.{rest}'] = value
    return names


if __name__ == '__main__':
    main()
