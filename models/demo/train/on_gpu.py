"""Trains everything within a number of minutes by the clock; called by on-gpu.sh, which describes what comes out.

How the time is split: the renderer works on all cores from the first second, and the autoencoder begins as soon as
there are enough images. Each stage is a process with a deadline of its own. One that fails or hangs is written to the log,
and the next one works with what there is.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time
import traceback
from multiprocessing import get_context
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
from shared_adam import end_with_parent
from workspace import parser

# Seconds kept for export and sheet, and the shares of the rest. The UNet gets what the others leave.
RESERVE_SECONDS = 30
SHARES = {"render before the autoencoder": 0.05, "autoencoder": 0.36, "judge": 0.06}
AFTER_EARLY, EARLY_SECONDS = 0.25, 60  # the autoencoder's share where early.sh has trained it for so long
FINISH_SHARE = 0.45  # of a training's time, in which its rate falls to zero
SIZES = SimpleNamespace(images=24000, enough=3000, prompts=48, sheet_pairs=12)
TINY = SimpleNamespace(images=24, enough=16, prompts=3, sheet_pairs=3)
TRIES = 3  # a stage that runs out of memory gets half the batch
OUT_OF_MEMORY = 3  # exit code of such a stage
GRACE_SECONDS = 20  # what a training may take beyond its time: to start, to save, to measure
LATENTS_SECONDS, EXPORT_SECONDS, SHEET_SECONDS, PROBE_SECONDS = 60, 25, 30, 60
PATIENCE_SECONDS = 240  # of a rehearsal, on a machine that may be busy


class Run:
    """The clock, the log and the sizes of one run."""

    def __init__(self, options):
        self.options, self.started = options, float(os.environ.get("TOKENFLOW_DEMO_STARTED", time.time()))
        self.device = find_device()
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

    def stage(self, name, work, seconds):
        """Calls work() in a process of its own, ended after `seconds`: a GPU that hangs costs this stage alone. A failure is
        logged and does not end the run. Returns whether it succeeded."""
        self.say(name)
        until = time.time() + seconds + (PATIENCE_SECONDS if self.options.rehearse else 0)
        for _ in range(TRIES):
            process = get_context("fork").Process(target=self.guarded, args=(name, work))
            process.start()
            process.join(max(1, until - time.time()))
            if process.is_alive():
                process.kill()
                process.join()
                self.say(name, "had not ended in time")
                return False
            if process.exitcode != OUT_OF_MEMORY:
                self.say(name, "done" if process.exitcode == 0 else f"failed (exit code {process.exitcode})")
                return process.exitcode == 0
            self.batch_scale /= 2
            self.say(name, f"ran out of memory; batches are {self.batch_scale} as large from here on")
        return False

    def guarded(self, name, work):
        """In the stage's process: its exit code tells how work() ended."""
        end_with_parent()
        try:
            work()
        except torch.OutOfMemoryError:
            sys.exit(OUT_OF_MEMORY)
        except Exception:
            self.say(name + ":\n" + traceback.format_exc())
            sys.exit(1)


def probe_device():
    """In a process of its own: CUDA cannot be used in a forked process once its parent has used it. Exit code 0 for CUDA."""
    if not torch.cuda.is_available():
        sys.exit(1)
    print(torch.cuda.get_device_name(), "torch", torch.__version__, flush=True)


def find_device():
    process = get_context("fork").Process(target=probe_device)
    process.start()
    process.join(PROBE_SECONDS)
    if process.is_alive():  # a driver that is slow to start is there all the same
        process.kill()
        process.join()
    return "cpu" if process.exitcode == 1 else "cuda"


def training_options(run, seconds, **more):
    """What a training is called with, to end after `seconds` of wall time."""
    minutes = max(0.01, seconds / 60)
    return SimpleNamespace(work=run.options.work, wall=True, minutes=(1 - FINISH_SHARE) * minutes, finish_minutes=FINISH_SHARE * minutes, **more)


def wait_for_images(run, renderer, count, seconds):
    until = time.time() + seconds
    while rendered(run.options.work) < count and time.time() < until and renderer.poll() is None:
        time.sleep(0.2)
    run.say(rendered(run.options.work), "images")


def trained_already(work):
    """(seconds, steps) that the checkpoint of the autoencoder has had."""
    path = work / "vae-checkpoint.pt"
    if not path.exists():
        return 0.0, 0
    state = torch.load(path, map_location="cpu")
    return state["spent"], state["step"]


def train_autoencoder(run):
    work = run.options.work
    spent, steps = trained_already(work)
    share = run.share("autoencoder") * (AFTER_EARLY / SHARES["autoencoder"] if spent > EARLY_SECONDS else 1)
    until = time.time() + min(share, max(1, run.left()))
    if steps:
        run.say(f"goes on from step {steps}, {spent:.0f} seconds of training")

    def train():
        options = training_options(
            run, until - time.time(), decoder_only=False, report_seconds=15, save_seconds=15, gpu_batch=train_vae.PER_GPU * run.batch_scale,
            compile=steps > 0,  # then it has been compiled already, and is in the cache
        )
        options.minutes += spent / 60
        train_vae.train(options, run.device)

    complete = lambda: train_vae.complete(work, run.device)
    if not run.stage("autoencoder", train, until - time.time() + GRACE_SECONDS) and (work / "vae-checkpoint.pt").exists():
        run.stage("autoencoder, from its checkpoint", complete, GRACE_SECONDS)
    if not (work / "vae.pt").exists() and (work / "vae-start.pt").exists():
        shutil.copy(work / "vae-start.pt", work / "vae.pt")


def train_all(run):
    work, sizes = run.options.work, run.sizes
    if run.options.resume:
        resume = lambda: run.say("starts from", *packed.start_from(packed.unpack(run.options.resume), work))
        run.stage("resume", resume, GRACE_SECONDS)
    dataset = [sys.executable, Path(__file__).parent / "dataset.py", "--work", work, "--count", str(sizes.images)]
    renderer = subprocess.Popen([*dataset, "--processes", str(max(1, os.cpu_count() - 1))])  # one core is the training's
    try:
        wait_for_images(run, renderer, sizes.enough, max(10, run.share("render before the autoencoder")) + 20)
        train_autoencoder(run)
        wait_for_images(run, renderer, sizes.images, 0.1 * run.seconds)
    finally:
        renderer.terminate()
        renderer.wait()
    judge_seconds = min(run.share("judge"), max(1, run.left()))
    judge_options = SimpleNamespace(work=work, wall=True, seed=0, minutes=judge_seconds / 60)
    run.stage("judge", lambda: train_judge.train(judge_options, run.device), judge_seconds + GRACE_SECONDS)
    run.stage("latents", lambda: encode.encode_all(work, run.device), LATENTS_SECONDS)
    until = time.time() + max(1, run.left() - 2)

    def unet():
        options = training_options(
            run, until - time.time(), batch=max(2, int(train_unet.BATCH[run.device] * run.batch_scale)) if run.device == "cuda" else 2,
            weighting="clamped", log_steps=100 if run.device == "cuda" else 2, probe_seconds=1e9, probe_count=0,
        )
        train_unet.train(options, run.device)

    run.stage("text encoder and UNet", unet, until - time.time() + 5)


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
    options = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    run = Run(options)
    if not options.salvage:
        train_all(run)
    elif not (options.work / "vae.pt").exists() and (options.work / "vae-checkpoint.pt").exists():
        complete = lambda: train_vae.complete(options.work, run.device)
        run.stage("autoencoder, from its checkpoint", complete, GRACE_SECONDS)
    run.stage("export", lambda: export_model(run), EXPORT_SECONDS)
    run.stage("sheet", lambda: draw_sheet(run), SHEET_SECONDS)


if __name__ == "__main__":
    main()
