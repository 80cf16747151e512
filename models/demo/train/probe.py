"""Text to image over the vocabulary, judged: python3 probe.py --seeds 2 --sheet t2i.png

Reads unet-checkpoint.pt (averaged weights), vae.pt and judge.pt from the work folder.
"""
import json

import numpy as np
import torch

from autoencoder import SCALING_FACTOR, Autoencoder
from diffusion import sample
from judge import HEADS, judge_pictures, load_judge
from png import contact_sheet, write_png
from shared_adam import SharedAdam
from text_encoder import TextEncoder
from tokenizer import encode
from train_vae import to_bytes
from unet import UNet
from workspace import parser
from world import BACKGROUNDS, COLOURS, LOOKS, OBJECTS, SEASONS_OF, STYLES, TIMES_OF, caption


def prompts(count, seed):
    """Scenes {object, look, place, time, season, style} that go through the whole vocabulary; half are plain photos by day."""
    rng = np.random.default_rng((7, seed))
    wanted = []
    for i in range(count):
        j = i + seed * count
        place = BACKGROUNDS[(j * 3 + seed) % len(BACKGROUNDS)]
        scene = {"object": OBJECTS[j % len(OBJECTS)], "look": LOOKS[(j * 5 + seed) % len(LOOKS)], "place": place}
        scene |= {"time": "day", "season": "none", "style": "photo"}
        if i % 4 == 1:
            scene["style"] = tuple(STYLES)[1 + (j // 4) % (len(STYLES) - 1)]
            if scene["style"] == "neon":
                scene["look"] = tuple(COLOURS)[j % len(COLOURS)]
        elif i % 4 == 3:
            scene["time"] = str(rng.choice(TIMES_OF[place]))
            scene["season"] = str(rng.choice(SEASONS_OF.get(place, ("none",))))
        wanted.append(scene)
    return wanted


def scene_caption(words):
    return caption(*(words[head] for head in ("object", "look", "place", "time", "season", "style")))


@torch.no_grad()
def text_to_image(unet, text_encoder, vae, captions, seed, guidance=3.0, steps=25, batch=16):
    """uint8 pictures [N, 256, 256, 3] of captions; every picture has its own noise."""
    device = next(unet.parameters()).device
    noise = torch.randn(len(captions), 4, 32, 32, generator=torch.Generator().manual_seed(seed))
    pictures = []
    for start in range(0, len(captions), batch):
        ids = torch.tensor([encode(text) for text in captions[start : start + batch]], device=device)
        empty = torch.tensor([encode("")] * len(ids), device=device)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device.type == "cuda"):
            contexts = text_encoder(ids), text_encoder(empty)
            latents = noise[start : start + batch].to(device).contiguous(memory_format=torch.channels_last)
            latents = sample(unet, latents, *contexts, guidance, steps)
            pictures.append(to_bytes(vae.decode(latents / SCALING_FACTOR)))
    return np.concatenate(pictures)


def score(names, wanted):
    """Share of pictures in which each word is right."""
    return {head: round(float(np.mean([n[head] == w[head] for n, w in zip(names, wanted)])), 3) for head in HEADS}


def load_models(work, device="cpu"):
    """(unet, text_encoder, vae) with the averaged weights of the last checkpoint."""
    unet, text_encoder, vae = UNet().to(device), TextEncoder().to(device), Autoencoder().to(device)
    adam = SharedAdam([unet, text_encoder], 1)
    adam.load(work / "unet-checkpoint.pt")
    adam.use_average()
    vae.load_state_dict(torch.load(work / "vae.pt", map_location=device))
    return unet, text_encoder, vae


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=1, help="how many times 40 prompts")
    arguments.add_argument("--first-seed", type=int, default=0)
    arguments.add_argument("--guidance", type=float, default=3.0)
    arguments.add_argument("--steps", type=int, default=25)
    arguments.add_argument("--sheet", help="contact sheet to write, in the work folder")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    models, judge = load_models(options.work), load_judge(options.work / "judge.pt")
    all_names, all_wanted = [], []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        wanted = prompts(40, seed)
        pictures = text_to_image(*models, [scene_caption(w) for w in wanted], seed, options.guidance, options.steps)
        all_names += judge_pictures(judge, pictures)[0]
        all_wanted += wanted
        if options.sheet and seed == options.first_seed:
            write_png(options.work / options.sheet, contact_sheet(pictures, 8))
    print(json.dumps(score(all_names, all_wanted)))
    for name, want in zip(all_names, all_wanted):
        wrong = [f"{want[head]} -> {name[head]}" for head in HEADS if name[head] != want[head]]
        if wrong:
            print(scene_caption(want), ":", ", ".join(wrong))


if __name__ == "__main__":
    main()
