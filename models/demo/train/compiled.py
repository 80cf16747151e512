"""Compiled functions for a GPU, where many small kernels are what takes the time; elsewhere they stay as they are."""
import traceback

import torch


class Compiled:
    """A function that torch.compile has made faster, once for every shape. Where compiling fails, the function itself."""

    def __init__(self, function, device):
        self.plain = function
        self.fast = torch.compile(function, dynamic=False) if device == "cuda" else None

    def __call__(self, *arguments):
        if self.fast is not None:
            try:
                return self.fast(*arguments)
            except torch.OutOfMemoryError:
                raise
            except Exception:
                print("not compiled:\n" + traceback.format_exc(limit=3), flush=True)
                self.fast = None
        return self.plain(*arguments)
