"""Renders and trains everything, stage after stage, and goes on where it was stopped: python3 train_all.py

A stage that is done leaves a file in the work folder and is not repeated; delete the file to have it again. The last
stage, the UNet, has no end: stop it whenever the pictures are good, then run train_unet.py --finish-minutes 30 and
export.py. Minutes of processor time of one of two processes (see schedule.py).
"""
import subprocess
import sys
import time
from pathlib import Path

from dataset import rendered
from shared_adam import end_with_parent
from workspace import Log, parser

HERE = Path(__file__).parent
IMAGES = 24000
ENOUGH_IMAGES = 4000  # to begin the autoencoder with
RETRIES, RETRY_SECONDS = 5, 60


def script(name, work, *options):
    return subprocess.Popen([sys.executable, HERE / name, "--work", work, *options], preexec_fn=end_with_parent)


def stages(work, minutes):
    """(name, file that tells that it is done, script and its options), in order; the stages keep their
    proportions to `minutes`."""

    def lasting(share, finish=None):
        ends = () if finish is None else ("--finish-minutes", str(finish * minutes))
        return "--minutes", str(share * minutes), *ends

    return (
        ("autoencoder", work / "vae.pt", ("train_vae.py", *lasting(0.3, 0.15))),
        ("judge", work / "judge.pt", ("train_judge.py", *lasting(0.75))),
        ("latents", work / "latents.npy", ("encode.py",)),
        ("UNet, first part", work / "unet-first.done", ("train_unet.py", *lasting(1.5))),
        ("decoder", work / "decoder.done", ("train_vae.py", "--decoder-only", *lasting(0.7, 0.3))),
        ("UNet", work / "never.done", ("train_unet.py",)),
    )


def run_stage(log, name, marker, command, work):
    """Runs a stage until it succeeds; a training goes on from its checkpoint."""
    for attempt in range(RETRIES):
        log(stage=name, attempt=attempt)
        if script(command[0], work, *command[1:]).wait() == 0:
            marker.touch()
            return
        time.sleep(RETRY_SECONDS)
    raise SystemExit(f"{name} failed {RETRIES} times; the messages are above.")


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--images", type=int, default=IMAGES)
    arguments.add_argument("--minutes", type=float, default=60, help="60: autoencoder 27, judge 45, first part of the UNet 90, decoder 60 minutes; other numbers in proportion")
    options = arguments.parse_args()
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    log = Log(work, "stages")
    renderer = None
    if rendered(work) < options.images:
        renderer = script("dataset.py", work, "--count", str(options.images), "--processes", "2")
    while rendered(work) < min(ENOUGH_IMAGES, options.images):
        time.sleep(5)
    for name, marker, command in stages(work, options.minutes):
        if marker.exists():
            continue
        if name != "autoencoder" and renderer is not None:
            if renderer.wait():
                raise SystemExit("rendering failed; the message is above.")
            renderer = None
        run_stage(log, name, marker, command, work)


if __name__ == "__main__":
    main()
