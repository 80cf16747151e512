"""Writes the trained weights as a diffusers model folder, float16: python3 export.py --to ..

Takes the averaged weights of unet-checkpoint.pt and vae.pt from the work folder; judge.pt goes to judge/.
"""
import json
from pathlib import Path

import autoencoder
import diffusion
import judge
import text_encoder
import tokenizer
import unet
from probe import load_models
from safetensors_file import write_half
from workspace import parser

MODEL_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.21.0",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
SPECIAL_TOKENS = {
    "bos_token": "<|startoftext|>",
    "eos_token": "<|endoftext|>",
    "pad_token": "<|endoftext|>",
    "unk_token": "<|endoftext|>",
}
EDIT_DEFAULTS = {"guidance": 7.5, "steps": 12}  # what suits this model where the user chooses nothing
TOKENIZER_CONFIG = {
    "tokenizer_class": "CLIPTokenizer",
    "model_max_length": tokenizer.LENGTH,
    **SPECIAL_TOKENS,
    "do_lower_case": True,
    "add_prefix_space": False,
}


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_model(to, denoiser, words, vae, network):
    """Writes the whole folder; network (the judge) may be None."""
    write_json(to / "model_index.json", MODEL_INDEX)
    write_json(to / "edit-defaults.json", EDIT_DEFAULTS)
    write_json(to / "scheduler/scheduler_config.json", diffusion.CONFIG)
    write_json(to / "tokenizer/vocab.json", tokenizer.VOCABULARY)
    write_json(to / "tokenizer/tokenizer_config.json", TOKENIZER_CONFIG)
    write_json(to / "tokenizer/special_tokens_map.json", SPECIAL_TOKENS)
    merges = "\n".join(["#version: 0.2", *(" ".join(pair) for pair in tokenizer.MERGES)]) + "\n"
    (to / "tokenizer/merges.txt").write_text(merges, encoding="utf-8")
    write_json(to / "text_encoder/config.json", text_encoder.CONFIG)
    write_json(to / "unet/config.json", unet.CONFIG)
    write_json(to / "vae/config.json", autoencoder.CONFIG)
    write_half(to / "text_encoder/model.safetensors", words.state_dict())
    write_half(to / "unet/diffusion_pytorch_model.safetensors", denoiser.state_dict())
    write_half(to / "vae/diffusion_pytorch_model.safetensors", vae.state_dict())
    if network is not None:
        write_json(to / "judge/config.json", {"edge": 256, "heads": {head: list(names) for head, names in judge.HEADS.items()}})
        write_half(to / "judge/model.safetensors", network.state_dict())


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--to", type=Path, required=True, help="the model folder")
    options = arguments.parse_args()
    judged = options.work / "judge.pt"
    write_model(options.to, *load_models(options.work), judge.load_judge(judged) if judged.exists() else None)
    total = 0
    for file in sorted(options.to.glob("*/*.safetensors")):
        total += file.stat().st_size
        print(f"{file.stat().st_size / 1e6:6.2f} MB  {file.relative_to(options.to)}")
    print(f"{total / 1e6:6.2f} MB in all")


if __name__ == "__main__":
    main()
