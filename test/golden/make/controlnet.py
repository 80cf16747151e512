"""Makes tiny UNets and ControlNets of random weights, and what diffusers computes with them.

    python controlnet.py FOLDER [--seed N]

FOLDER gets `sd` (conventions of Stable Diffusion 1.x) and `sdxl`, each with `unet` and the ControlNets `first` and `second` in the
diffusers layout, and with `single.safetensors`, which is `first` in one file: of `sd` with the names of lllyasviel's code, of `sdxl`
with those of diffusers, as xinsir's files have them. `sd/difference.safetensors` is the same again, with what it has from the UNet
as the difference to it. `pooled` of `sd` is a network with means for residuals that reads blue first, as the one for shuffled
pictures. test/fixtures/golden/controlnet is seed 0. Everything is computed on the CPU in float32 from weights rounded to float16.

golden.safetensors of each holds
  in.latents, in.picture.{0,1}   what every case begins with; pictures are in 0..1
  in.{prompt,negative}*          rows of text, for `sdxl` with the pooled ones
  residual.{i}                   a single forward of `first`: skip connections, and last the middle block
  difference.{i}                 the same of the network that the sums of UNet and `difference.safetensors` make
  {case}.t{t}                    latents behind each step of the pipeline with ControlNets; `cases` of the metadata has its options
Made with Python 3.11, torch 2.13.0 (CPU), diffusers 0.35.2, transformers 4.57.6.
"""

import argparse
import copy
import json
import re
import shutil
from pathlib import Path

import torch
from diffusers import (AutoencoderKL, ControlNetModel, DDIMScheduler, StableDiffusionControlNetPipeline,
                       StableDiffusionXLControlNetPipeline, UNet2DConditionModel)
from safetensors.torch import load_file, save_file

LATENTS = (8, 12)
DOWNSCALE = 4
TEXT = 12
POOLED = 6
STEPS = 4
GUIDANCE = 5.0
TIMESTEP = 501
SIZE = dict(height=LATENTS[0] * DOWNSCALE, width=LATENTS[1] * DOWNSCALE)

CASES = {
    'one': dict(nets=[['first', 0.8]]),
    'guess': dict(nets=[['first', 1.0]], guess=True),
    'two': dict(nets=[['first', 0.7], ['second', 1.1]], start=[0.0, 0.25], end=[0.75, 1.0]),
    'part': dict(nets=[['second', 1.0]], start=[0.3], end=[0.8]),
    'pooled': dict(nets=[['pooled', 1.0]]),
}

RESIDUAL = {'norm1': 'in_layers.0', 'conv1': 'in_layers.2', 'time_emb_proj': 'emb_layers.1', 'norm2': 'out_layers.0',
            'conv2': 'out_layers.3', 'conv_shortcut': 'skip_connection'}


def unet_of(kind: str) -> UNet2DConditionModel:
    common = dict(sample_size=12, in_channels=4, out_channels=4, layers_per_block=1, norm_num_groups=8, cross_attention_dim=TEXT,
                  block_out_channels=[16, 24], attention_head_dim=2)
    if kind == 'sd':
        return UNet2DConditionModel(
            **common, down_block_types=['CrossAttnDownBlock2D', 'DownBlock2D'], up_block_types=['UpBlock2D', 'CrossAttnUpBlock2D'])
    return UNet2DConditionModel(
        **common, down_block_types=['DownBlock2D', 'CrossAttnDownBlock2D'], up_block_types=['CrossAttnUpBlock2D', 'UpBlock2D'],
        transformer_layers_per_block=[1, 2], use_linear_projection=True, addition_embed_type='text_time',
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=POOLED + 6 * 8)


def enliven(network: torch.nn.Module) -> None:
    """Weights under which a wrong block or branch shows, rounded to what float16 holds."""
    for name, value in network.named_parameters():
        if value.dim() == 1:
            value.data = (1.0 if 'norm' in name and name.endswith('weight') else 0.0) + 0.2 * torch.randn_like(value)
        else:
            value.data = torch.randn_like(value) / value[0].numel() ** 0.5
        value.data = value.data.half().float()
    network.eval()


def controlnet_of(unet: UNet2DConditionModel, **config) -> ControlNetModel:
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 16), load_weights_from_unet=False, **config)
    enliven(net)
    net.register_to_config(**config)
    return net


def save(network: torch.nn.Module, folder: Path) -> None:
    network.save_pretrained(folder, safe_serialization=True)
    file = folder / 'diffusion_pytorch_model.safetensors'
    write(file, load_file(file))


def write(file: Path, tensors: dict) -> None:
    save_file({name: value.half().contiguous() for name, value in tensors.items()}, file, metadata={'format': 'pt'})
    file.chmod(0o644)


def ldm_name(key: str, layers: int, hints: int) -> str:
    """The name that lllyasviel's code gives to a tensor of ControlNetModel."""
    stem, last = key.rsplit('.', 1)
    whole = {'conv_in': 'input_blocks.0.0', 'time_embedding.linear_1': 'time_embed.0', 'time_embedding.linear_2': 'time_embed.2',
             'controlnet_mid_block': 'middle_block_out.0', 'controlnet_cond_embedding.conv_in': 'input_hint_block.0',
             'controlnet_cond_embedding.conv_out': f'input_hint_block.{2 * hints + 2}'}
    if stem in whole:
        return f'{whole[stem]}.{last}'
    if found := re.fullmatch(r'controlnet_cond_embedding\.blocks\.(\d+)', stem):
        return f'input_hint_block.{2 * int(found[1]) + 2}.{last}'
    if found := re.fullmatch(r'controlnet_down_blocks\.(\d+)', stem):
        return f'zero_convs.{found[1]}.0.{last}'
    if found := re.fullmatch(r'down_blocks\.(\d+)\.downsamplers\.0\.conv', stem):
        return f'input_blocks.{(int(found[1]) + 1) * (layers + 1)}.0.op.{last}'
    level, kind, index, rest = re.fullmatch(r'(?:down_blocks\.(\d+)|mid_block)\.(resnets|attentions)\.(\d+)\.(.+)', stem).groups()
    inside = RESIDUAL[rest] if kind == 'resnets' else rest
    if level is None:
        return f'middle_block.{2 * int(index) if kind == "resnets" else 1}.{inside}.{last}'
    block = 1 + int(level) * (layers + 1) + int(index)
    return f'input_blocks.{block}.{0 if kind == "resnets" else 1}.{inside}.{last}'


def write_single(folder: Path, kind: str, net: ControlNetModel, unet: UNet2DConditionModel) -> ControlNetModel | None:
    """Returns the network that the differences make, which were rounded to halves."""
    tensors = net.state_dict()
    if kind == 'sdxl':
        write(folder / 'single.safetensors', tensors)
        return None
    name = lambda key: 'control_model.' + ldm_name(key, 1, len(net.controlnet_cond_embedding.blocks))
    write(folder / 'single.safetensors', {name(key): value for key, value in tensors.items()})
    own = unet.state_dict()
    differences = {key: (value - own[key] if key in own else value).half().float() for key, value in tensors.items()}
    file = {name(key): value for key, value in differences.items()} | {'difference': torch.zeros(0)}
    write(folder / 'difference.safetensors', file)
    summed = copy.deepcopy(net)
    summed.load_state_dict({key: value + own[key] if key in own else value for key, value in differences.items()})
    return summed


def residuals(name: str, kind: str, net: ControlNetModel, found: dict) -> dict:
    down, middle = net(found['in.latents'], TIMESTEP, found['in.prompt'], found['in.picture.0'],
                       added_cond_kwargs=added(kind, found), return_dict=False)
    return {f'{name}.{i}': value for i, value in enumerate([*down, middle])}


def told(kind: str) -> dict:
    found = {'in.prompt': torch.randn(1, 7, TEXT), 'in.negative': torch.randn(1, 7, TEXT)}
    if kind == 'sdxl':
        found |= {'in.prompt.pooled': torch.randn(1, POOLED), 'in.negative.pooled': torch.randn(1, POOLED)}
    return found


def added(kind: str, found: dict) -> dict | None:
    if kind == 'sd':
        return None
    return {'text_embeds': found['in.prompt.pooled'], 'time_ids': torch.tensor([[SIZE['height'], SIZE['width'], 0.0, 0,
                                                                             SIZE['height'], SIZE['width']]])}


def run_case(kind: str, name: str, case: dict, unet, nets: dict, found: dict) -> dict:
    used = [nets[net] for net, _ in case['nets']]
    vae = AutoencoderKL(block_out_channels=[8, 8, 8], norm_num_groups=4, down_block_types=['DownEncoderBlock2D'] * 3,
                        up_block_types=['UpDecoderBlock2D'] * 3)
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule='scaled_linear', clip_sample=False,
                              set_alpha_to_one=False, steps_offset=1)
    many = len(used) > 1
    only = lambda values: values if many else values[0]
    parts = dict(vae=vae, unet=unet, controlnet=only(used), scheduler=scheduler, text_encoder=None, tokenizer=None)
    if kind == 'sd':
        pipeline = StableDiffusionControlNetPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    else:
        pipeline = StableDiffusionXLControlNetPipeline(**parts, text_encoder_2=None, tokenizer_2=None, add_watermarker=False)
    pipeline.set_progress_bar_config(disable=True)
    kept = {}

    def keep(_pipeline, _step, t, values):
        kept[f'{name}.t{int(t)}'] = values['latents'].clone()
        return values

    pooled = {} if kind == 'sd' else dict(
        pooled_prompt_embeds=found['in.prompt.pooled'], negative_pooled_prompt_embeds=found['in.negative.pooled'])
    pictures = [found['in.picture.0'], found['in.picture.1']][:len(used)]
    pipeline(prompt_embeds=found['in.prompt'], negative_prompt_embeds=found['in.negative'], **pooled, image=only(pictures), **SIZE,
             num_inference_steps=STEPS, guidance_scale=GUIDANCE, latents=found['in.latents'].clone(), output_type='latent',
             controlnet_conditioning_scale=only([scale for _, scale in case['nets']]), guess_mode=case.get('guess', False),
             control_guidance_start=only(case.get('start', [0.0] * len(used))),
             control_guidance_end=only(case.get('end', [1.0] * len(used))), callback_on_step_end=keep)
    return kept


def make(folder: Path, kind: str, seed: int) -> None:
    folder.mkdir(parents=True)
    unet = unet_of(kind)
    enliven(unet)
    save(unet, folder / 'unet')
    nets = {'first': controlnet_of(unet), 'second': controlnet_of(unet)}
    if kind == 'sd':
        nets['pooled'] = controlnet_of(unet, controlnet_conditioning_channel_order='bgr')
        nets['pooled'].register_to_config(global_pool_conditions=True)
    for name, net in nets.items():
        save(net, folder / name)
    summed = write_single(folder, kind, nets['first'], unet)
    pictures = {f'in.picture.{i}': torch.rand(1, 3, SIZE['height'], SIZE['width']).half().float() for i in range(2)}
    found = {'in.latents': torch.randn(1, 4, *LATENTS)} | pictures | told(kind)
    found |= residuals('residual', kind, nets['first'], found)
    found |= {} if summed is None else residuals('difference', kind, summed, found)
    cases = {name: case for name, case in CASES.items() if all(net in nets for net, _ in case['nets'])}
    for name, case in cases.items():
        found |= run_case(kind, name, case, unet, nets, found)
    metadata = dict(steps=str(STEPS), guidance=str(GUIDANCE), timestep=str(TIMESTEP), downscale=str(DOWNSCALE), seed=str(seed),
                    cases=json.dumps(cases), script='test/golden/make/controlnet.py')
    save_file({name: value.contiguous() for name, value in found.items()}, folder / 'golden.safetensors', metadata=metadata)
    (folder / 'golden.safetensors').chmod(0o644)
    for name, value in found.items():
        print(kind, name, tuple(value.shape), f'{value.float().std():.3f}')


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument('folder', type=Path)
    arguments.add_argument('--seed', type=int, default=0)
    asked = arguments.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    torch.manual_seed(asked.seed)
    with torch.no_grad():
        for kind in ['sd', 'sdxl']:
            make(asked.folder / kind, kind, asked.seed)


main()
