"""Where training keeps what git does not: images, latents, checkpoints, logs."""
import argparse
import os
from pathlib import Path


def parser(description):
    """An argument parser with --work, common to all commands."""
    default = os.environ.get("TOKENFLOW_DEMO_WORK", "~/.cache/tokenflow-demo-train")
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--work", type=lambda text: Path(text).expanduser(), default=default, help="scratch folder (default %(default)s)")
    return p
