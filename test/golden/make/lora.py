"""Makes test/fixtures/golden/lora: adapters of each kind, and the weights that their own libraries merge them into.

    python lora.py FOLDER [--seed N]

Adapters of PEFT are written and merged by PEFT, those of LyCORIS by LyCORIS. kohya's sd-scripts is no package; its
LoRAModule.merge_to (networks/lora.py) is written out here from its formulas. sd-scripts trains DoRA by LyCORIS, under names of
kohya; at strengths other than 1 it counts as in LyCORIS' functional.general.apply_dora_scale and in ComfyUI. Every tensor is drawn from the seed, by default 11.
Made with Python 3.11, torch 2.13.0 (CPU), peft 0.21.2, lycoris-lora 4.1.3, safetensors 0.8.0:

    python3 -m venv lora && lora/bin/pip install torch==2.13.0 peft==0.21.2 lycoris-lora==4.1.3 numpy
"""

import argparse
import copy
import json
import shutil
from pathlib import Path

import torch
from lycoris import LycorisNetwork, create_lycoris
from peft import LoHaConfig, LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn

STRENGTH = 0.75
BLOCK = 'down_blocks.0.attentions.0.transformer_blocks.0'

# A part of a UNet of Stable Diffusion: names and layers are its own, sizes are small.
UNET = {
    'conv_in': nn.Conv2d(4, 16, 3),
    'time_embedding.linear_1': nn.Linear(16, 32),
    'down_blocks.0.resnets.0.norm1': nn.GroupNorm(4, 16),
    'down_blocks.0.resnets.0.conv1': nn.Conv2d(16, 16, 3),
    'down_blocks.0.resnets.1.conv1': nn.Conv2d(16, 16, 3),
    'down_blocks.0.attentions.0.proj_in': nn.Conv2d(16, 16, 1),
    f'{BLOCK}.norm1': nn.LayerNorm(16),
    f'{BLOCK}.attn1.to_q': nn.Linear(16, 16, bias=False),
    f'{BLOCK}.attn1.to_out.0': nn.Linear(16, 16),
    f'{BLOCK}.attn2.to_k': nn.Linear(24, 16, bias=False),
    f'{BLOCK}.ff.net.0.proj': nn.Linear(16, 40),
    'down_blocks.0.downsamplers.0.conv': nn.Conv2d(16, 16, 3),
    'mid_block.resnets.0.conv1': nn.Conv2d(16, 16, 3),
    'up_blocks.0.resnets.0.conv_shortcut': nn.Conv2d(32, 16, 1),
    'up_blocks.0.resnets.1.conv1': nn.Conv2d(16, 16, 3),
    'up_blocks.0.resnets.2.conv1': nn.Conv2d(16, 16, 3),
    'up_blocks.0.upsamplers.0.conv': nn.Conv2d(16, 16, 3),
}
LAYER = 'text_model.encoder.layers.0'
TEXT = {
    f'{LAYER}.self_attn.q_proj': nn.Linear(24, 24),
    f'{LAYER}.self_attn.out_proj': nn.Linear(24, 24),
    f'{LAYER}.mlp.fc1': nn.Linear(24, 48),
}
ATTENTION = [f'{BLOCK}.attn1.to_q', f'{BLOCK}.attn1.to_out.0', f'{BLOCK}.attn2.to_k', f'{BLOCK}.ff.net.0.proj']
CONVOLUTIONS = ['down_blocks.0.resnets.0.conv1', 'down_blocks.0.attentions.0.proj_in', 'down_blocks.0.downsamplers.0.conv']


def tree(layers: dict) -> nn.Module:
    """A module in which each layer has its dotted name."""
    root = nn.Module()
    for name, layer in layers.items():
        *folders, last = name.split('.')
        at = root
        for folder in folders:
            if not hasattr(at, folder):
                at.add_module(folder, nn.Module())
            at = getattr(at, folder)
        at.add_module(last, copy.deepcopy(layer))
    root.forward = lambda x: x
    return root


def lively(module: nn.Module) -> None:
    """Factors of adapters begin with zeros, which would hide what they are multiplied with."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            is_length = 'dora_scale' in name or 'magnitude' in name
            noise = torch.randn_like(parameter) * (0.1 if is_length else 0.6)
            parameter.add_(noise) if is_length else parameter.copy_(noise)


class Golden:
    def __init__(self, folder: Path):
        self.folder = folder
        self.cases = {}
        self.unet, self.text = tree(UNET), tree(TEXT)
        for part in (self.unet, self.text):
            with torch.no_grad():
                for parameter in part.parameters():
                    parameter.copy_(torch.randn_like(parameter) * 0.2)
        (folder / 'base').mkdir(parents=True)
        save_file(self.unet.state_dict(), folder / 'base' / 'unet.safetensors')
        save_file(self.text.state_dict(), folder / 'base' / 'text_encoder.safetensors')
        halves = {key: value.half() for key, value in self.unet.state_dict().items()}
        save_file(halves, folder / 'base' / 'unet-half.safetensors')

    def add(self, name: str, merged: dict, strength: float = 1.0, file: str | None = None) -> None:
        """`merged`: the changed weights by `part/key`."""
        before = {'unet': self.unet.state_dict(), 'text_encoder': self.text.state_dict()}
        for key, value in merged.items():
            part, weight = key.split('/', 1)
            assert (value - before[part][weight]).abs().max() > 0.01, f'{name}: {key} stays as it is'
        save_file({key: value.float().contiguous() for key, value in merged.items()}, self.folder / f'{name}.merged.safetensors')
        self.cases[name] = {'file': file or f'{name}.safetensors', 'strength': strength}

    def finish(self) -> None:
        (self.folder / 'cases.json').write_text(json.dumps(self.cases, indent=2) + '\n')


def changed(before: nn.Module, after: dict, part: str) -> dict:
    """What `after` has that differs, by `part/key`. Throws where nothing does."""
    found = {f'{part}/{key}': value for key, value in before.state_dict().items() if not torch.equal(value, after[key])}
    assert found
    return {key: after[key.split('/', 1)[1]] for key in found}


def peft(golden: Golden, name: str, config) -> None:
    model = get_peft_model(copy.deepcopy(golden.unet), config)
    adapters = [p for n, p in model.named_parameters() if 'lora_' in n or 'hada_' in n]
    assert adapters
    for key, parameter in model.named_parameters():
        if 'lora_' not in key and 'hada_' not in key:
            continue
        with torch.no_grad():
            noise = torch.randn_like(parameter) * 0.3
            parameter.add_(noise * 0.3) if 'magnitude' in key else parameter.copy_(noise)
    model.save_pretrained(golden.folder / name)
    (golden.folder / name / 'README.md').unlink(missing_ok=True)
    merged = model.merge_and_unload().state_dict()
    golden.add(name, changed(golden.unet, merged, 'unet'), file=f'{name}/adapter_model.safetensors')


def weight_in_use(layer: nn.Module, shape: torch.Size) -> torch.Tensor:
    """What a layer multiplies its input with, found by asking for each column of it."""
    columns = torch.eye(shape[1:].numel()).reshape(-1, *shape[1:])
    answers = layer(columns) - layer(torch.zeros_like(columns))
    return answers.reshape(len(columns), shape[0]).T.reshape(shape)


def lycoris(golden: Golden, name: str, targets: list, strength: float = 1.0, prefix: str = 'lycoris_', **options) -> None:
    """The weights with which LyCORIS' layers compute, under its own names or, with another prefix, those of kohya.

    When LyCORIS 4.1.3 merges LoHa and LoKr itself, it multiplies by alpha / rank twice; when it trains and computes, once.
    """
    unet = copy.deepcopy(golden.unet)
    LycorisNetwork.apply_preset({'target_name': targets, 'target_module': []})
    net = create_lycoris(unet, strength, **options)
    assert len(net.loras) == len(targets), [lora.lora_name for lora in net.loras]
    net.apply_to()
    state, merged = {}, {}
    with torch.no_grad():
        for lora in net.loras:
            lively(lora)
            module = next(key for key in UNET if f'lycoris_{key.replace(".", "_")}' == lora.lora_name)
            for key, value in lora.custom_state_dict().items():
                state[f'{prefix}{module.replace(".", "_")}.{key}'] = value.detach().clone().contiguous()
            shape = golden.unet.state_dict()[f'{module}.weight'].shape
            merged[f'unet/{module}.weight'] = weight_in_use(unet.get_submodule(module), shape)
    save_file(state, golden.folder / f'{name}.safetensors')
    golden.add(name, merged, strength)


def kohya(golden: Golden, name: str, modules: dict, strength: float, dtype=torch.float32) -> None:
    """`modules`: name in the file -> part, module, rank, alpha (None: no alpha is written; 0: the rank)."""
    state, merged = {}, {}
    for written, (part, module, rank, alpha) in modules.items():
        weight = (golden.unet if part == 'unet' else golden.text).state_dict()[f'{module}.weight']
        rows, columns, *kernel = weight.shape
        down = (torch.randn(rank, columns, *kernel) * 0.3).to(dtype)
        up = (torch.randn(rows, rank, *([1] * len(kernel))) * 0.3).to(dtype)
        state[f'{written}.lora_down.weight'], state[f'{written}.lora_up.weight'] = down, up
        if alpha is not None:
            state[f'{written}.alpha'] = torch.tensor(float(alpha)).to(dtype)
        scale = 1.0 if alpha is None else (alpha or rank) / rank
        down, up = down.float(), up.float()
        if not kernel:
            change = up @ down
        elif kernel == [1, 1]:
            change = (up.squeeze(3).squeeze(2) @ down.squeeze(3).squeeze(2)).unsqueeze(2).unsqueeze(3)
        else:
            change = torch.nn.functional.conv2d(down.permute(1, 0, 2, 3), up).permute(1, 0, 2, 3)
        merged[f'{part}/{module}.weight'] = weight + strength * change * scale
    save_file(state, golden.folder / f'{name}.safetensors')
    golden.add(name, merged, strength)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument('folder', type=Path)
    arguments.add_argument('--seed', type=int, default=11)
    asked = arguments.parse_args()
    folder = asked.folder
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(asked.seed)
    torch.use_deterministic_algorithms(True)
    golden = Golden(folder)

    peft(golden, 'peft-lora', LoraConfig(
        r=4, lora_alpha=6, target_modules=ATTENTION + CONVOLUTIONS,
        rank_pattern={'attn2.to_k': 2}, alpha_pattern={'attn1.to_q': 3}))
    peft(golden, 'peft-rank-stabilised', LoraConfig(r=4, lora_alpha=6, use_rslora=True, target_modules=ATTENTION))
    peft(golden, 'peft-dora', LoraConfig(
        r=4, lora_alpha=4, use_dora=True, target_modules=ATTENTION + CONVOLUTIONS[:1]))
    peft(golden, 'peft-loha', LoHaConfig(r=3, alpha=2, target_modules=ATTENTION + CONVOLUTIONS[:1]))

    every = {'linear_dim': 4, 'linear_alpha': 2, 'conv_dim': 4, 'conv_alpha': 2}
    both = ATTENTION + CONVOLUTIONS
    lycoris(golden, 'lycoris-locon', both, STRENGTH, algo='locon', **every)
    lycoris(golden, 'lycoris-locon-tucker', CONVOLUTIONS, algo='locon', use_tucker=True, **every)
    lycoris(golden, 'lycoris-rank-stabilised', ATTENTION, algo='locon', rs_lora=True, **every)
    lycoris(golden, 'lycoris-loha', both, STRENGTH, algo='loha', **every)
    lycoris(golden, 'lycoris-loha-tucker', CONVOLUTIONS, algo='loha', use_tucker=True, **every)
    small = {**every, 'linear_dim': 1, 'conv_dim': 1, 'linear_alpha': 0.5, 'conv_alpha': 0.5}
    lycoris(golden, 'lycoris-lokr', both, STRENGTH, algo='lokr', **small)
    lycoris(golden, 'lycoris-lokr-tucker', CONVOLUTIONS, algo='lokr', use_tucker=True, **small)
    lycoris(golden, 'lycoris-lokr-both', ATTENTION, algo='lokr', decompose_both=True, **small)
    lycoris(golden, 'lycoris-lokr-whole', both, algo='lokr', full_matrix=True, **every)
    lycoris(golden, 'lycoris-dora-rows', both, algo='locon', dora_wd=True, wd_on_output=True, **every)
    lycoris(golden, 'lycoris-dora-columns', both, algo='locon', dora_wd=True, wd_on_output=False, **every)
    lycoris(golden, 'lycoris-doha', ATTENTION, algo='loha', dora_wd=True, wd_on_output=True, **every)

    unet, text = 'lora_unet_', 'lora_te_'
    kohya(golden, 'kohya-lora', {
        f'{unet}{module.replace(".", "_")}': ('unet', module, 4, alpha)
        for module, alpha in zip(both, [2, 4, None, 0, 1, 8, 2])
    } | {f'{text}{module.replace(".", "_")}': ('text_encoder', module, 3, 1.5) for module in TEXT}, STRENGTH)
    ldm = 'input_blocks_1_1_transformer_blocks_0'
    kohya(golden, 'kohya-ldm-names-half', {
        f'{unet}{ldm}_attn1_to_q': ('unet', f'{BLOCK}.attn1.to_q', 4, 2),
        f'{unet}{ldm}_attn1_to_out_0': ('unet', f'{BLOCK}.attn1.to_out.0', 4, 2),
        f'{unet}{ldm}_ff_net_0_proj': ('unet', f'{BLOCK}.ff.net.0.proj', 4, 2),
        f'{unet}input_blocks_1_1_proj_in': ('unet', 'down_blocks.0.attentions.0.proj_in', 4, 2),
        f'{unet}input_blocks_1_0_in_layers_2': ('unet', 'down_blocks.0.resnets.0.conv1', 4, 2),
        f'{unet}input_blocks_3_0_op': ('unet', 'down_blocks.0.downsamplers.0.conv', 4, 2),
        f'{unet}middle_block_0_in_layers_2': ('unet', 'mid_block.resnets.0.conv1', 4, 2),
        f'{unet}output_blocks_0_0_skip_connection': ('unet', 'up_blocks.0.resnets.0.conv_shortcut', 4, 2),
        f'{unet}output_blocks_2_1_conv': ('unet', 'up_blocks.0.upsamplers.0.conv', 4, 2),
        f'{unet}time_embed_0': ('unet', 'time_embedding.linear_1', 4, 2),
        'lora_te1_text_model_encoder_layers_0_mlp_fc1': ('text_encoder', f'{LAYER}.mlp.fc1', 4, 2),
    }, -0.5, torch.float16)
    kohya(golden, 'kohya-bfloat16', {
        f'{unet}{BLOCK.replace(".", "_")}_attn1_to_q': ('unet', f'{BLOCK}.attn1.to_q', 4, 3),
    }, 2.0, torch.bfloat16)

    whole(golden)

    # An alpha of 0 means the rank.
    other = {'linear_dim': 4, 'linear_alpha': 0, 'conv_dim': 3, 'conv_alpha': 2}
    lycoris(golden, 'kohya-dora-rows', both, prefix=unet, algo='locon', dora_wd=True, wd_on_output=True, **other)
    lycoris(golden, 'kohya-dora-columns', both, prefix=unet, algo='locon', dora_wd=True, wd_on_output=False, **other)
    lycoris(golden, 'kohya-doha-columns', CONVOLUTIONS, prefix=unet, algo='loha', dora_wd=True, wd_on_output=False, **other)
    lycoris(golden, 'kohya-dokr-rows', both, prefix=unet, algo='lokr', dora_wd=True, wd_on_output=True, **small)
    for axis, strength in (('rows', 0.75), ('columns', -0.5)):
        dora(golden, f'kohya-dora-{axis}-strength', axis, strength)
    golden.finish()


def dora(golden: Golden, name: str, axis: str, strength: float) -> None:
    """A linear layer and a convolution of the UNet and a layer of the text encoder, by apply_dora_scale."""
    state, merged = {}, {}
    for part, module, rank, alpha in [('unet', ATTENTION[2], 3, 1.5), ('unet', CONVOLUTIONS[0], 2, 4), ('text_encoder', f'{LAYER}.mlp.fc1', 3, 2)]:
        weight = (golden.unet if part == 'unet' else golden.text).state_dict()[f'{module}.weight']
        rows, columns, *kernel = weight.shape
        written = f'lora_{"unet" if part == "unet" else "te"}_{module.replace(".", "_")}'
        down, up = torch.randn(rank, columns, *kernel) * 0.3, torch.randn(rows, rank, *([1] * len(kernel))) * 0.3
        kept = 0 if axis == 'rows' else 1
        others = [other for other in range(weight.dim()) if other != kept]
        length = lambda values: values.square().sum(dim=others, keepdim=True).sqrt()
        lengths = length(weight) * (1 + 0.2 * torch.randn(1))
        state |= {f'{written}.lora_down.weight': down, f'{written}.lora_up.weight': up,
                  f'{written}.alpha': torch.tensor(float(alpha)), f'{written}.dora_scale': lengths}
        change = (up.flatten(1) @ down.flatten(1)).reshape(weight.shape) * (alpha / rank)
        rescaled = (weight + change) / length(weight + change) * lengths
        merged[f'{part}/{module}.weight'] = weight + strength * (rescaled - weight)
    save_file(state, golden.folder / f'{name}.safetensors')
    golden.add(name, merged, strength)


def whole(golden: Golden) -> None:
    """Differences and norms as LyCORIS' modules `full` and `norm` keep them."""
    state, merged = {}, {}
    before = golden.unet.state_dict()
    for module, weight, bias in [(f'{BLOCK}.norm1', 'w_norm', 'b_norm'), ('down_blocks.0.resnets.0.norm1', 'w_norm', 'b_norm'),
                                 ('conv_in', 'diff', 'diff_b'), (f'{BLOCK}.attn1.to_q', 'diff', None)]:
        for key, slot in (('weight', weight), ('bias', bias)):
            if slot is None:
                continue
            change = torch.randn_like(before[f'{module}.{key}']) * 0.3
            state[f'lycoris_{module.replace(".", "_")}.{slot}'] = change
            merged[f'unet/{module}.{key}'] = before[f'{module}.{key}'] + STRENGTH * change
    save_file(state, golden.folder / 'lycoris-whole.safetensors')
    golden.add('lycoris-whole', merged, STRENGTH)


if __name__ == '__main__':
    main()
