"""Networks of a model folder as export.py writes it, of any edition: sizes come from its configs."""
import json

import torch

import text_encoder
import unet
import world
from safetensors_file import read_half


def load_unet(folder):
    """The UNet of a model folder, whatever its widths."""
    config = json.loads((folder / "unet/config.json").read_text())
    unet.CHANNELS, unet.LAYERS = config["block_out_channels"], config["layers_per_block"]
    unet.HEADS, unet.CONTEXT = config["attention_head_dim"], config["cross_attention_dim"]
    unet.GROUPS, unet.EPS, unet.TIME = config["norm_num_groups"], config["norm_eps"], 4 * unet.CHANNELS[0]
    network = unet.UNet()
    network.load_state_dict(read_half(folder / "unet/diffusion_pytorch_model.safetensors"))
    return network.eval()


def load_captioner(folder):
    """The text encoder of a model folder: a function from captions to contexts, and the words that it knows."""
    config = json.loads((folder / "text_encoder/config.json").read_text())
    vocabulary = json.loads((folder / "tokenizer/vocab.json").read_text())
    text_encoder.WIDTH, text_encoder.HEADS = config["hidden_size"], config["num_attention_heads"]
    text_encoder.LAYERS, text_encoder.MLP_WIDTH = config["num_hidden_layers"], config["intermediate_size"]
    text_encoder.LENGTH, text_encoder.VOCABULARY = config["max_position_embeddings"], vocabulary
    network = text_encoder.TextEncoder()
    network.load_state_dict(read_half(folder / "text_encoder/model.safetensors"))
    start, end, length = config["bos_token_id"], config["eos_token_id"], config["max_position_embeddings"]

    def ids(caption):
        words = [vocabulary[word + "</w>"] for word in caption.split()][: length - 2]
        return [start, *words, *[end] * (length - 1 - len(words))]

    @torch.no_grad()
    def encode(captions):
        return network(torch.tensor([ids(caption) for caption in captions]))

    return encode, {token[:-4] for token in vocabulary if token.endswith("</w>")}


def captions_of(known, rng):
    """Endless captions of random scenes in words that the model knows."""
    pick = lambda names: names[rng.integers(len(names))]
    while True:
        place = pick(world.BACKGROUNDS)
        scene = {"object": pick(world.OBJECTS), "look": pick(world.LOOKS), "place": place,
                 "time": pick(world.TIMES_OF[place]), "season": pick(world.SEASONS_OF.get(place, ("none",))),
                 "style": pick(tuple(world.STYLES))}
        caption = world.random_caption(rng, scene)
        if all(word in known for word in caption.split()):
            yield caption
