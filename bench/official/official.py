"""The official TokenFlow code in a process of its own, on the CPU in single precision.

    python3 official.py FOLDER [--model FOLDER] [--channels 320,640,1280,1280] [--threads N]

FOLDER is a copy of github.com/omerbt/TokenFlow at 5dd6a69; none of it is in this project. Its functions run as they are:
Preprocess.ddim_inversion for the inversion, TokenFlow.get_ddim_eps, init_method and batched_denoise_step of
run_tokenflow_pnp.py for the sampling. What this file adds:

- A checkpoint that does not predict noise: the official inversion takes every prediction for noise, so the network's
  answer is turned into noise before it gets there, with the weights of the timestep that the network was told.
- diffusers 0.21 hands a LoRA scale to residual blocks, which the official one does not take: it is dropped.
- Keyframes are given, not drawn: `torch.randint` answers with them while a step runs.

Protocol: one JSON object per line on standard input, one on standard output. The first line out is {"ready": true,
"name": ...}. A request is answered by its result, or by {"error": text}.

    do "edit"      inverts and edits pictures; writes all latents on the way to a safetensors file
    do "prepare"   makes random latents and text for "invert" and "sample"; `--channels` makes random weights as well
    do "invert"    one inversion step of all frames: {"seconds": S}
    do "sample"    all sampling steps: {"seconds": S}

Needs torch, diffusers 0.21 and transformers 4.33.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
import types
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import MagicMock

import numpy
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

# What the official files import and these functions do not use.
UNUSED = ['cv2', 'torchvision', 'torchvision.io', 'torchvision.transforms', 'kornia', 'kornia.geometry',
          'kornia.geometry.transform', 'kornia.utils', 'kornia.utils.grid']

# configs/config_pnp.yaml
ATTENTION_SHARE, FEATURE_SHARE = 0.5, 0.8

# That of Stable Diffusion 1.5.
NOISE_SCHEDULE = {'beta_start': 0.00085, 'beta_end': 0.012, 'beta_schedule': 'scaled_linear', 'clip_sample': False,
                  'set_alpha_to_one': False, 'steps_offset': 1}


class PredictsNoise:
    """A UNet whose prediction is noise, whatever its checkpoint predicts."""

    def __init__(self, unet, scheduler):
        self.unet, self.scheduler = unet, scheduler

    def __call__(self, latents, timestep, encoder_hidden_states):
        answer = self.unet(latents, timestep, encoder_hidden_states=encoder_hidden_states)
        kind = self.scheduler.config.prediction_type
        if kind == 'epsilon':
            return answer
        if kind != 'v_prediction':
            raise ValueError(f'cannot turn {kind} into noise')
        alpha = self.scheduler.alphas_cumprod[timestep]
        return types.SimpleNamespace(sample=alpha ** 0.5 * answer.sample + (1 - alpha) ** 0.5 * latents)


class Official:
    def __init__(self, folder, model, channels):
        sys.path.insert(0, folder)
        sys.modules.update({name: MagicMock() for name in UNUSED})
        self.preprocess, self.pnp = (importlib.import_module(name) for name in ['preprocess', 'run_tokenflow_pnp'])
        self.model = None if model is None else Path(model)
        self.unet = self.load_unet(channels)
        self.temporary = tempfile.TemporaryDirectory()
        self.latents_path = Path(self.temporary.name, 'latents')
        self.latents_path.mkdir()

    def load_unet(self, channels):
        if self.model is not None:
            return UNet2DConditionModel.from_pretrained(self.model / 'unet').float().eval()
        config = {'block_out_channels': channels, 'attention_head_dim': 8, 'cross_attention_dim': 768}
        return UNet2DConditionModel(**config).eval()

    def scheduler(self, steps):
        scheduler = (DDIMScheduler(**NOISE_SCHEDULE) if self.model is None
                     else DDIMScheduler.from_pretrained(self.model / 'scheduler'))
        scheduler.set_timesteps(steps)
        return scheduler

    def second_unet(self):
        """Another network on the same weights: the official code alters the one that it edits with for good."""
        with torch.device('meta'):
            unet = UNet2DConditionModel.from_config(self.unet.config)
        unet.load_state_dict(self.unet.state_dict(), assign=True)
        return unet.eval()

    def inverter(self, steps):
        """A Preprocess without its constructor, which downloads a model and wants CUDA."""
        scheduler = self.scheduler(steps)
        return types.SimpleNamespace(
            scheduler=scheduler, unet=PredictsNoise(self.unet, scheduler), sd_version='1.5', device='cpu')

    def editor(self, steps, guidance, keyframe_interval):
        """A TokenFlow without its constructor, ready for batched_denoise_step."""
        editor = self.pnp.TokenFlow.__new__(self.pnp.TokenFlow)
        nn.Module.__init__(editor)
        editor.config = {'batch_size': keyframe_interval, 'guidance_scale': guidance, 'n_timesteps': steps}
        editor.device, editor.sd_version = 'cpu', '1.5'
        editor.latents_path = str(self.latents_path)
        editor.scheduler = self.scheduler(steps)
        editor.unet = self.second_unet()
        editor.init_method(int(steps * FEATURE_SHARE), int(steps * ATTENTION_SHARE))
        injected = editor.unet.up_blocks[1].resnets[1]
        forward = injected.forward
        injected.forward = lambda hidden, time, scale=1.0: forward(hidden, time)
        return editor

    def invert(self, inverter, text, latents, save_at):
        self.preprocess.Preprocess.ddim_inversion(
            inverter, text, latents, str(self.latents_path.parent), batch_size=len(latents), timesteps_to_save=save_at)

    def saved(self, timestep):
        return torch.load(self.latents_path / f'noisy_latents_{timestep}.pt')

    def edit(self, pictures, frames, height, width, prompts, steps, inversion_steps, guidance, keyframe_interval,
             keyframes, out):
        bytes_ = torch.from_numpy(numpy.fromfile(pictures, dtype=numpy.uint8).copy())
        images = bytes_.view(frames, height, width, 3).permute(0, 3, 1, 2).float() / 255
        vae = AutoencoderKL.from_pretrained(self.model / 'vae').float().eval()
        tokenizer = CLIPTokenizer.from_pretrained(self.model / 'tokenizer')
        text_encoder = CLIPTextModel.from_pretrained(self.model / 'text_encoder').float().eval()

        editor = self.editor(steps, guidance, keyframe_interval)
        editor.vae, editor.tokenizer, editor.text_encoder = vae, tokenizer, text_encoder
        clean = editor.encode_imgs(images, deterministic=True)
        editor.text_embeds = editor.get_text_embeds(prompts['target'], prompts['negative'])
        editor.pnp_guidance_embeds = editor.get_text_embeds(prompts['source'], prompts['source']).chunk(2)[0]

        inverter = self.inverter(inversion_steps)
        inverter.tokenizer, inverter.text_encoder = tokenizer, text_encoder
        text = self.preprocess.Preprocess.get_text_embeds(inverter, prompts['source'], '', device='cpu')[1:]
        self.invert(inverter, text, clean.clone(), editor.scheduler.timesteps)
        timesteps = [int(t) for t in editor.scheduler.timesteps]
        end = int(inverter.scheduler.timesteps[0])

        tensors = {'clean': clean, f'noisiest.t{end}': self.saved(end)}
        tensors |= {f'inversion.t{t}': self.saved(t) for t in timesteps}
        noise = editor.get_ddim_eps(clean, range(frames))
        latents = editor.scheduler.add_noise(clean, noise, editor.scheduler.timesteps[0])
        tensors['start'] = latents
        for step, t in enumerate(editor.scheduler.timesteps):
            latents = self.step(editor, latents, t, keyframes[step])
            tensors[f'edit.t{int(t)}'] = latents
        tensors['pictures'] = editor.decode_latents(latents)
        # The same from another start, to see how much a comparison sees.
        latents = tensors[f'inversion.t{timesteps[0]}']
        for step, t in enumerate(editor.scheduler.timesteps):
            latents = self.step(editor, latents, t, keyframes[step])
        tensors['pictures.inverted_start'] = editor.decode_latents(latents)
        save_file({name: one.contiguous() for name, one in tensors.items()}, out)
        return {'timesteps': timesteps, 'end': end}

    def step(self, editor, latents, timestep, keyframes):
        with drawing(keyframes, editor.config['batch_size']):
            return editor.batched_denoise_step(latents, timestep, torch.arange(len(latents)))

    def prepare(self, frames, height, width, steps, inversion_steps, guidance, keyframe_interval, keyframes):
        shape = (frames, self.unet.config.in_channels, height, width)
        embedding = (1, 77, self.unet.config.cross_attention_dim)
        self.latents, self.text, self.keyframes = torch.randn(shape), torch.randn(embedding), keyframes
        self.timed_editor = self.editor(steps, guidance, keyframe_interval)
        self.timed_editor.text_embeds = torch.randn((2, *embedding[1:]))
        self.timed_editor.pnp_guidance_embeds = self.text
        for timestep in self.timed_editor.scheduler.timesteps:
            torch.save(torch.randn(shape), self.latents_path / f'noisy_latents_{timestep}.pt')
        self.timed_inverter = self.inverter(inversion_steps)
        # A step in the middle; all take as long.
        middle = inversion_steps // 2
        self.timed_inverter.scheduler.timesteps = self.timed_inverter.scheduler.timesteps[middle:middle + 1]
        return {}

    def time_invert(self):
        latents = self.latents.clone()
        start = time.perf_counter()
        self.invert(self.timed_inverter, self.text, latents, [])
        return {'seconds': time.perf_counter() - start}

    def time_sample(self):
        latents = self.latents
        start = time.perf_counter()
        for step, timestep in enumerate(self.timed_editor.scheduler.timesteps):
            latents = self.step(self.timed_editor, latents, timestep, self.keyframes[step])
        return {'seconds': time.perf_counter() - start}


@contextmanager
def drawing(keyframes, interval):
    """While it lasts, `torch.randint` draws the places of these keyframes within their runs of `interval` frames."""
    drawn = torch.tensor(keyframes) % interval
    original = torch.randint
    torch.randint = lambda *_: drawn
    try:
        yield
    finally:
        torch.randint = original


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder')
    parser.add_argument('--model')
    parser.add_argument('--channels', default='320,640,1280,1280')
    parser.add_argument('--threads', type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    # The official code prints; standard output is the protocol's.
    answers, sys.stdout = sys.stdout, sys.stderr
    official = Official(options.folder, options.model, [int(width) for width in options.channels.split(',')])
    requests = {'edit': official.edit, 'prepare': official.prepare, 'invert': official.time_invert,
                'sample': official.time_sample}

    def say(message):
        print(json.dumps(message), file=answers, flush=True)

    say({'ready': True, 'name': f'the official code on PyTorch {torch.__version__}'})
    with torch.no_grad():
        for line in sys.stdin:
            request = json.loads(line)
            try:
                say(requests[request.pop('do')](**request))
            except Exception as error:
                say({'error': f'{type(error).__name__}: {error}'.splitlines()[0]})


if __name__ == '__main__':
    main()
