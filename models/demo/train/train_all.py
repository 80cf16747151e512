"""Renders and trains everything, stage after stage, and goes on where it was stopped: python3 train_all.py"""
import argparse
import os
import subprocess
import sys
from pathlib import Path

from workspace import Log, parser

HERE = Path(__file__).parent


def main():
    arguments = parser(__doc__.splitlines()[0])
    options = arguments.parse_args()
    subprocess.run([sys.executable, HERE / "train_vae.py", "--work", options.work, "--minutes", "45", "--finish-minutes", "12"], check=True)


if __name__ == "__main__":
    main()
