"""Trains everything within a number of minutes by the clock; called by on-gpu.sh, which describes what comes out.

How the time is split: the renderer works on all cores from the first second, and the autoencoder begins as soon as
there are enough images. A stage that fails is written to the log, and the next one works with what there is.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

import encode
import export
import packed
import train_judge
import train_unet
import train_vae
from dataset import open_arrays, rendered
from judge import judge_pictures, load_judge
from png import contact_sheet, write_png
from probe import load_models, prompts, scene_caption, score, text_to_image
from workspace import device_name, parser

# Seconds kept for export and sheet, and the shares of the rest. The UNet gets what the others leave.
RESERVE_SECONDS = 30
SHARES = {"render before the autoencoder": 0.05, "autoencoder": 0.36, "judge": 0.06}
FINISH_SHARE = 0.45  # of a training's time, in which its rate falls to zero
SIZES = SimpleNamespace(images=24000, enough=3000, prompts=48, sheet_pairs=12)
TINY = SimpleNamespace(images=24, enough=16, prompts=3, sheet_pairs=3)
TRIES = 3  # a stage that runs out of memory gets half the batch


class Run:
    """The clock, the log and the sizes of one run."""

    def __init__(self, options):
        self.options, self.started = options, float(os.environ.get("TOKENFLOW_DEMO_STARTED", time.time()))
        self.device = device_name()
        self.sizes = TINY if options.rehearse else SIZES
        self.seconds = 60 * options.minutes
        self.reserve = 0.3 * self.seconds if options.rehearse else RESERVE_SECONDS
        self.batch_scale = 1.0
        if options.salvage:
            self.started = time.time()

    def left(self):
        """Seconds until the export must begin."""
        return self.seconds - self.reserve - (time.time() - self.started)

    def share(self, name):
        return SHARES[name] * (self.seconds - self.reserve)

    def say(self, *words):
        print(f"[{time.time() - self.started:6.1f} s]", *words, flush=True)

    def stage(self, name, work):
        """Calls work(); a failure is logged and does not end the run. Returns whether it succeeded."""
        self.say(name)
        for attempt in range(TRIES):
            try:
                work()
                self.say(name, "done")
                return True
            except (torch.cuda.OutOfMemoryError, torch.OutOfMemoryError):
                self.batch_scale /= 2
                torch.cuda.empty_cache()
                self.say(name, f"ran out of memory; batches are {self.batch_scale} as large from here on")
            except BaseException:
                self.say(name, "failed:\n" + traceback.format_exc())
                return False
        return False


def training_options(run, seconds, **more):
    """What a training is called with, to end after `seconds` of wall time."""
    minutes = max(0.01, seconds / 60)
    return SimpleNamespace(work=run.options.work, wall=True, minutes=(1 - FINISH_SHARE) * minutes, finish_minutes=FINISH_SHARE * minutes, **more)


def wait_for_images(run, renderer, count, seconds):
    until = time.time() + seconds
    while rendered(run.options.work) < count and time.time() < until and renderer.poll() is None:
        time.sleep(0.2)
    run.say(rendered(run.options.work), "images")


def train_autoencoder(run):
    until = time.time() + min(run.share("autoencoder"), max(1, run.left()))

    def work():
        options = training_options(
            run, until - time.time(), decoder_only=False, report_seconds=15, gpu_batch=train_vae.PER_GPU * run.batch_scale,
        )
        train_vae.train(options, run.device)

    if not run.stage("autoencoder", work) and not (run.options.work / "vae.pt").exists():
        run.stage("autoencoder, from its checkpoint", lambda: train_vae.complete(run.options.work, run.device))
    if not (run.options.work / "vae.pt").exists() and (run.options.work / "vae-start.pt").exists():
        shutil.copy(run.options.work / "vae-start.pt", run.options.work / "vae.pt")


def train_all(run):
    work, sizes = run.options.work, run.sizes
    if run.options.resume:
        run.stage("resume", lambda: run.say("starts from", *packed.start_from(packed.unpack(run.options.resume), work)))
    dataset = [sys.executable, Path(__file__).parent / "dataset.py", "--work", work, "--count", str(sizes.images)]
    renderer = subprocess.Popen([*dataset, "--processes", str(max(1, os.cpu_count() - 1))])  # one core is the training's
    try:
        if run.device == "cuda":
            run.say(torch.cuda.get_device_name(), "torch", torch.__version__)
        wait_for_images(run, renderer, sizes.enough, max(10, run.share("render before the autoencoder")) + 20)
        train_autoencoder(run)
        wait_for_images(run, renderer, sizes.images, 0.1 * run.seconds)
    finally:
        renderer.terminate()
        renderer.wait()
    judge_options = SimpleNamespace(work=work, wall=True, seed=0, minutes=min(run.share("judge"), max(1, run.left())) / 60)
    run.stage("judge", lambda: train_judge.train(judge_options, run.device))
    if run.device == "cuda":
        torch.cuda.empty_cache()
    run.stage("latents", lambda: encode.encode_all(work, run.device))
    until = time.time() + max(1, run.left() - 2)

    def unet():
        options = training_options(
            run, until - time.time(), batch=max(2, int(train_unet.BATCH[run.device] * run.batch_scale)) if run.device == "cuda" else 2,
            weighting="clamped", log_steps=100 if run.device == "cuda" else 2, probe_seconds=1e9, probe_count=0,
        )
        train_unet.train(options, run.device)

    run.stage("text encoder and UNet", unet)


def draw_sheet(run):
    """Held-out scenes and their reconstructions, then prompts drawn from noise; the judge's shares go to the log."""
    work, count = run.options.work, run.sizes.sheet_pairs
    unet, text_encoder, vae = load_models(work, run.device)
    images = np.array(open_arrays(work)[0][:count])
    outputs = train_vae.reconstruct(vae, images, run.device)
    wanted = prompts(run.sizes.prompts, 0)
    drawn = text_to_image(unet, text_encoder, vae, [scene_caption(w) for w in wanted], seed=0, steps=2 if run.options.rehearse else 20, batch=48)
    sheet = contact_sheet(np.concatenate([images, outputs, drawn]), count)
    write_png(run.options.out / "sheet.png", sheet[::2, ::2] if len(sheet) > 1600 else sheet)
    if (work / "judge.pt").exists():
        run.say("judge of what was drawn:", score(judge_pictures(load_judge(work / "judge.pt", run.device), drawn)[0], wanted))


def export_model(run):
    """The model folder in parts; where networks are missing, those that are there in one packed file."""
    work, out = run.options.work, run.options.out
    if (work / "unet-checkpoint.pt").exists() and (work / "vae.pt").exists():
        judged = work / "judge.pt"
        export.write_model(work / "model", *load_models(work), load_judge(judged) if judged.exists() else None)
        run.say("wrote", *(path.name for path in packed.split(out / "model.tar", packed.tar_of(work / "model"))))
    elif states := packed.reached(work):
        packed.pack(states, work / "networks.xz")
        run.say("wrote", *(path.name for path in packed.split(out / "networks.xz", (work / "networks.xz").read_bytes())))
    else:
        raise RuntimeError("there is no checkpoint of any network")


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--resume", type=Path)
    arguments.add_argument("--rehearse", action="store_true", help="tiny sizes, on the CPU")
    arguments.add_argument("--salvage", action="store_true", help=argparse.SUPPRESS)
    run = Run(arguments.parse_args())
    run.options.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    if not run.options.salvage:
        train_all(run)
    elif not (run.options.work / "vae.pt").exists() and (run.options.work / "vae-checkpoint.pt").exists():
        run.stage("autoencoder, from its checkpoint", lambda: train_vae.complete(run.options.work, run.device))
    run.stage("export", lambda: export_model(run))
    run.stage("sheet", lambda: draw_sheet(run))


if __name__ == "__main__":
    main()
