"""Makes a tiny Stable Diffusion XL of random weights, and what diffusers computes with it.

    python sdxl.py FOLDER [--seed N] [--shape base|pruned]

FOLDER becomes a whole checkpoint in the diffusers layout with golden.safetensors beside it: test/fixtures/golden/sdxl is seed 0 of
`base`, test/fixtures/golden/sdxl-pruned seed 0 of `pruned`, whose transformers have a depth of their own in each layer and whose middle
is one residual block, as in SSD-1B and Segmind-Vega. Everything is computed on the CPU in float32 from weights rounded to
float16. The tokenizers are cut out of test/fixtures/clip.

golden.safetensors holds
  unet.in.*, unet.out.t{t}       single forwards of UNet2DConditionModel
  vae.in.image, vae.out.*        single forwards of AutoencoderKL
  text.ids.{1,2}                 the token ids of the prompts of the metadata, one row each, by both tokenizers
  text.tokens, text.pooled       StableDiffusionXLPipeline.encode_prompt of each prompt
  text.time_ids                  what the pipeline tells the UNet about a picture of the size of the latents
  {prompted,unprompted}.t{t}     the latents behind each step of StableDiffusionXLPipeline with DDIM: `prompted` with the second
                                 prompt as the negative one, `unprompted` without a negative prompt
Made with Python 3.11, torch 2.13.0 (CPU), diffusers 0.24.0, transformers 4.33.3.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

CLIP = Path(__file__).parents[2] / 'fixtures' / 'clip'
# The first is the prompt, the second the negative one; the last is longer than the tokenizers allow.
PROMPTS = [
    'a shiny silver robotic wolf',
    'ugly, blurry, low res, unrealistic, unaesthetic',
    'It\'s a dog\'s life, they\'re 100% sure',
    'a marble sculpture of a woman running, Venus de Milo, a shiny silver robotic wolf',
]
LENGTH = 16
STEPS = 5
GUIDANCE = 5.0
TIMESTEPS = [1, 501, 981]
LATENTS = (16, 24)
DOWNSCALE = 4


def unet_config(shape: str) -> dict:
    heads, channels = ([2, 3, 4], [16, 24, 32]) if shape == 'base' else ([1, 2, 2], [8, 16, 16])
    config = dict(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=channels, layers_per_block=2, norm_num_groups=8,
        down_block_types=['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
        up_block_types=['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
        attention_head_dim=heads, cross_attention_dim=32, use_linear_projection=True, addition_embed_type='text_time',
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=10 + 6 * 8)
    if shape == 'base':
        return config | dict(transformer_layers_per_block=[1, 1, 2])
    return config | dict(
        transformer_layers_per_block=[1, [2, 1], [1, 2]], reverse_transformer_layers_per_block=[[1, 2, 3], [2, 1, 1], 1],
        mid_block_type='UNetMidBlock2D')


def text_config(width: int, heads: int, act: str, vocabulary: int, **more) -> CLIPTextConfig:
    # eos_token_id is 2 in the published configs too: the end is then where the largest id is.
    return CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=3, num_attention_heads=heads,
        max_position_embeddings=LENGTH, hidden_act=act, bos_token_id=0, eos_token_id=2, **more)


def write_tokenizer(folder: Path, pad: str) -> int:
    """The tokens of test/fixtures/clip, numbered from 0; returns how many there are."""
    folder.mkdir(parents=True)
    tokens = list(json.loads((CLIP / 'vocab.json').read_text()))
    (folder / 'vocab.json').write_text(json.dumps({token: i for i, token in enumerate(tokens)}, ensure_ascii=False))
    shutil.copy(CLIP / 'merges.txt', folder / 'merges.txt')
    config = json.loads((CLIP / 'tokenizer_config.json').read_text())
    (folder / 'tokenizer_config.json').write_text(json.dumps(config | dict(model_max_length=LENGTH, pad_token=pad)))
    return len(tokens)


def enliven(network: torch.nn.Module) -> None:
    """Weights under which a wrong block, branch or token shows, rounded to what float16 holds."""
    for name, value in network.named_parameters():
        is_norm = 'norm' in name and name.endswith('weight')
        if value.dim() == 1:
            value.data = (1.0 if is_norm else 0.0) + 0.2 * torch.randn_like(value)
        elif 'embedding' in name and 'linear' not in name:
            value.data = torch.randn_like(value)
        else:
            # Larger ones make a network in which rounding grows from step to step, to 0.1 in five.
            value.data = torch.randn_like(value) / value[0].numel() ** 0.5
        value.data = value.data.half().float()


def halve(file: Path) -> None:
    """Rewrites weights in float16; positions are no weights."""
    tensors = {name: value.half().contiguous() for name, value in load_file(file).items() if 'position_ids' not in name}
    save_file(tensors, file, metadata={'format': 'pt'})
    file.chmod(0o644)


def make_checkpoint(folder: Path, shape: str) -> StableDiffusionXLPipeline:
    vocabulary = write_tokenizer(folder / 'tokenizer', '<|endoftext|>')
    write_tokenizer(folder / 'tokenizer_2', '!')
    text = CLIPTextModel(text_config(12, 2, 'quick_gelu', vocabulary))
    text_2 = CLIPTextModelWithProjection(text_config(20, 4, 'gelu', vocabulary, projection_dim=10))
    unet = UNet2DConditionModel(**unet_config(shape))
    vae = AutoencoderKL(
        block_out_channels=[8, 16, 16], layers_per_block=1, norm_num_groups=4, latent_channels=4, scaling_factor=0.13025,
        down_block_types=['DownEncoderBlock2D'] * 3, up_block_types=['UpDecoderBlock2D'] * 3, sample_size=64)
    for network in [text, text_2, unet, vae]:
        enliven(network)
        network.eval()
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule='scaled_linear', clip_sample=False, set_alpha_to_one=False,
        steps_offset=1, timestep_spacing='leading')
    pipeline = StableDiffusionXLPipeline(
        vae, text, text_2, CLIPTokenizer.from_pretrained(folder / 'tokenizer'),
        CLIPTokenizer.from_pretrained(folder / 'tokenizer_2'), unet, scheduler, add_watermarker=False)
    for name in ['vae', 'unet', 'text_encoder', 'text_encoder_2', 'scheduler']:
        safe = {} if name == 'scheduler' else {'safe_serialization': True}
        getattr(pipeline, name).save_pretrained(folder / name, **safe)
    for file in folder.glob('*/*.safetensors'):
        halve(file)
    index = {name: value for name, value in pipeline.config.items() if not name.startswith('_') or name == '_class_name'}
    (folder / 'model_index.json').write_text(json.dumps({'_class_name': 'StableDiffusionXLPipeline'} | index, indent=2) + '\n')
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def forwards(pipeline: StableDiffusionXLPipeline) -> dict:
    unet, vae = pipeline.unet, pipeline.vae
    latents = torch.randn(2, 4, *LATENTS)
    context, pooled = torch.randn(2, 7, 32), torch.randn(2, 10)
    time_ids = torch.tensor([[96.0, 64, 0, 8, 96, 64], [1024, 768, 16, 0, 1024, 1024]])
    found = {'unet.in.latents': latents, 'unet.in.context': context, 'unet.in.pooled': pooled, 'unet.in.time_ids': time_ids}
    for t in TIMESTEPS:
        added = {'text_embeds': pooled, 'time_ids': time_ids}
        found[f'unet.out.t{t}'] = unet(latents, t, context, added_cond_kwargs=added).sample
    image = torch.rand(1, 3, *(DOWNSCALE * side for side in LATENTS)) * 2 - 1
    posterior = vae.encode(image).latent_dist
    found |= {'vae.in.image': image, 'vae.out.mean': posterior.mean, 'vae.out.logvar': posterior.logvar}
    found['vae.out.decoded'] = vae.decode(posterior.mean).sample
    return found


def prompts(pipeline: StableDiffusionXLPipeline) -> dict:
    rows = [pipeline.encode_prompt(prompt, do_classifier_free_guidance=False) for prompt in PROMPTS]
    found = {'text.tokens': torch.cat([row[0] for row in rows]), 'text.pooled': torch.cat([row[2] for row in rows])}
    for i, tokenizer in enumerate([pipeline.tokenizer, pipeline.tokenizer_2]):
        ids = tokenizer(PROMPTS, padding='max_length', max_length=LENGTH, truncation=True, return_tensors='pt').input_ids
        found[f'text.ids.{i + 1}'] = ids
    height, width = (DOWNSCALE * side for side in LATENTS)
    found['text.time_ids'] = torch.tensor([[height, width, 0, 0, height, width]], dtype=torch.float32)
    return found


def denoise(pipeline: StableDiffusionXLPipeline, name: str, negative: str | None, start: torch.Tensor) -> dict:
    found = {}

    def keep(_pipeline, _step, t, values):
        found[f'{name}.t{int(t)}'] = values['latents'].clone()
        return values

    height, width = (DOWNSCALE * side for side in LATENTS)
    pipeline(PROMPTS[0], negative_prompt=negative, height=height, width=width, num_inference_steps=STEPS,
             guidance_scale=GUIDANCE, latents=start.clone(), output_type='latent', callback_on_step_end=keep)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument('folder', type=Path)
    arguments.add_argument('--seed', type=int, default=0)
    arguments.add_argument('--shape', choices=['base', 'pruned'], default='base')
    asked = arguments.parse_args()
    torch.manual_seed(asked.seed)
    shutil.rmtree(asked.folder, ignore_errors=True)
    pipeline = make_checkpoint(asked.folder, asked.shape)
    with torch.no_grad():
        tensors = forwards(pipeline) | prompts(pipeline)
        start = torch.randn(1, 4, *LATENTS)
        tensors |= {'denoise.in.latents': start} | denoise(pipeline, 'prompted', PROMPTS[1], start)
        tensors |= denoise(pipeline, 'unprompted', None, start)
    metadata = dict(steps=str(STEPS), guidance=str(GUIDANCE), seed=str(asked.seed), shape=asked.shape,
                    prompts=json.dumps(PROMPTS), script='test/golden/make/sdxl.py')
    contiguous = {name: value.contiguous() for name, value in tensors.items()}
    save_file(contiguous, asked.folder / 'golden.safetensors', metadata=metadata)
    (asked.folder / 'golden.safetensors').chmod(0o644)
    for name, value in contiguous.items():
        print(name, tuple(value.shape), f'{np.std(value.float().numpy()):.3f}')


main()
