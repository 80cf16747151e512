"""How long a training lasts and how its learning rate ends.

A training may run open-endedly at a constant rate; averaged weights are good at any moment. `--finish-minutes` then
lets the rate fall to zero, which is worth about as much as many hours more.
"""
import math
import time

import torch

# Minutes are processor time of the first process on a CPU, because a shared machine gives a training any share of it,
# and wall time on a GPU.


class Clock:
    """Seconds that a training has had, over all its runs."""

    def __init__(self, wall, spent=0.0):
        self.read = time.time if wall else time.process_time
        self.spent, self.begun = spent, None

    def start(self):
        """Call in the process that reads the clock."""
        self.begun = self.read()

    def seconds(self):
        return self.spent + self.read() - self.begun


class Schedule:
    """Constant until `minutes` (None: without end), then to zero over `finish_minutes`."""

    def __init__(self, minutes, finish_minutes, spent=0.0, finish_from=None):
        self.length = 60 * (finish_minutes or 0)
        if finish_from is None or not self.length:
            ends = 60 * minutes if minutes is not None else spent if self.length else math.inf
            finish_from = max(spent, ends)
        self.finish_from = finish_from

    def remaining(self, seconds):
        """1 while the rate is constant, then down to 0, where the training ends."""
        if seconds < self.finish_from:
            return 1.0
        return max(0.0, 1 - (seconds - self.finish_from) / self.length) if self.length else 0.0

    def to_resume(self, seconds):
        """What a checkpoint keeps: since when the rate falls, None where it does not, or has reached zero."""
        return self.finish_from if 0 < self.remaining(seconds) < 1 else None


def add_arguments(arguments, minutes=None):
    arguments.add_argument("--minutes", type=float, default=minutes, help="time at the constant rate, over all runs (default: without end)")
    arguments.add_argument("--wall", action="store_true", default=torch.cuda.is_available(), help="minutes are wall time (as always on a GPU)")
    arguments.add_argument("--finish-minutes", type=float, help="then let the rate fall to zero over this time, and end")
