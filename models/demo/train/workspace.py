"""Where training keeps what git does not: images, latents, checkpoints, logs."""
import argparse
import json
import os
import time
from pathlib import Path

import torch


def parser(description):
    """An argument parser with --work, common to all commands."""
    default = os.environ.get("TOKENFLOW_DEMO_WORK", "~/.cache/tokenflow-demo-train-2")
    p = argparse.ArgumentParser(description=description)
    folder = lambda text: Path(text).expanduser()
    p.add_argument("--work", type=folder, default=folder(default), help="scratch folder (default %(default)s)")
    return p


def device_name():
    return "cuda" if torch.cuda.is_available() else "cpu"


def save_atomically(state, path):
    """torch.save that a stop at any moment cannot spoil."""
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)


def write_atomically(path, text):
    part = Path(f"{path}.part")
    part.write_text(text)
    os.replace(part, path)


class Log:
    """One JSON object a line, to a file in the work folder and to standard output."""

    def __init__(self, work, name):
        self.path = Path(work) / f"{name}.log"

    def __call__(self, **facts):
        line = json.dumps({"at": time.strftime("%m-%d %H:%M:%S"), **facts})
        print(line, flush=True)
        with open(self.path, "a") as file:
            file.write(line + "\n")
