"""Text to image over backgrounds x colours, judged: python3 probe.py --seeds 2 --sheet t2i.png

Reads unet-checkpoint.pt (averaged weights), vae.pt and judge.pt from the work folder.
"""
import json

import numpy as np
import torch

from autoencoder import SCALING_FACTOR, Autoencoder
from diffusion import sample
from judge import judge_pictures, load_judge
from png import contact_sheet, write_png
from shared_adam import SharedAdam
from text_encoder import TextEncoder
from tokenizer import encode
from train_vae import to_bytes
from unet import UNet
from workspace import parser
from world import BACKGROUNDS, COLOURS, OBJECTS, STYLES, caption


def prompt_grid(seed, style="photo"):
    """One prompt per background and colour; the objects rotate."""
    rows = []
    for b, background in enumerate(BACKGROUNDS):
        for c, colour in enumerate(COLOURS):
            rows.append({"object": OBJECTS[(b + c + seed) % len(OBJECTS)], "colour": colour, "background": background, "style": style})
    return rows


def scene_caption(words):
    return caption(words["object"], words["colour"], words["background"], words["style"])


@torch.no_grad()
def text_to_image(unet, text_encoder, vae, captions, seed, guidance=3.0, steps=25, edge=32, batch=21):
    """uint8 pictures [N, 4*edge, 4*edge, 3] of captions; every picture has its own noise."""
    device = next(unet.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(captions), 4, edge, edge, generator=generator)
    pictures = []
    for start in range(0, len(captions), batch):
        ids = torch.tensor([encode(text) for text in captions[start : start + batch]], device=device)
        empty = torch.tensor([encode("")] * len(ids), device=device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            contexts = text_encoder(ids), text_encoder(empty)
            latents = sample(unet, noise[start : start + batch].to(device), *contexts, guidance, steps)
            pictures.append(to_bytes(vae.decode(latents / SCALING_FACTOR)))
    return np.concatenate(pictures)


def score(names, wanted):
    """Share of pictures in which each word is right."""
    right = {head: np.mean([n[head] == w[head] for n, w in zip(names, wanted)]) for head in ("object", "colour", "background", "style")}
    right["hue colour"] = np.mean([n["hue colour"] == w["colour"] for n, w in zip(names, wanted)])
    return {head: round(float(value), 3) for head, value in right.items()}


def load_models(work):
    """(unet, text_encoder, vae) with the averaged weights of the last checkpoint."""
    unet, text_encoder, vae = UNet(), TextEncoder(), Autoencoder()
    adam = SharedAdam([unet, text_encoder], 1)
    adam.load(work / "unet-checkpoint.pt")
    adam.use_average()
    vae.load_state_dict(torch.load(work / "vae.pt", map_location="cpu"))
    return unet, text_encoder, vae


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=1, help="how many grids of 42 prompts")
    arguments.add_argument("--first-seed", type=int, default=0)
    arguments.add_argument("--style", choices=STYLES, default="photo")
    arguments.add_argument("--guidance", type=float, default=3.0)
    arguments.add_argument("--steps", type=int, default=25)
    arguments.add_argument("--sheet", help="contact sheet to write, in the work folder")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    models = load_models(options.work)
    judge, hues = load_judge(options.work / "judge.pt")
    all_names, all_wanted = [], []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        wanted = prompt_grid(seed, options.style)
        pictures = text_to_image(*models, [scene_caption(w) for w in wanted], seed, options.guidance, options.steps)
        names, _ = judge_pictures(judge, hues, pictures)
        all_names += names
        all_wanted += wanted
        if options.sheet and seed == options.first_seed:
            write_png(options.work / options.sheet, contact_sheet(pictures, len(COLOURS)))
    print(json.dumps(score(all_names, all_wanted)))
    for name, want in zip(all_names, all_wanted):
        wrong = [f"{want[k]} -> {name[k]}" for k in ("object", "background", "style") if name[k] != want[k]]
        wrong += [f"{want['colour']} -> hue of {name['hue colour']}"] * (name["hue colour"] != want["colour"])
        if wrong:
            print(scene_caption(want), ":", ", ".join(wrong))


if __name__ == "__main__":
    main()
