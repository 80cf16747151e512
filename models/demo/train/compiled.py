"""Compiled functions, for a GPU, where many small kernels are what takes the time."""
import traceback

import torch


class Compiled:
    """A function whose first result is minimised. torch.compile makes it faster, once for every shape; where that fails,
    the function itself is used. `reset` forgets the gradients of a failed attempt."""

    def __init__(self, function, reset, compiling):
        self.plain, self.reset = function, reset
        self.fast = torch.compile(function, dynamic=False) if compiling else None

    def gradients(self, *arguments):
        """Calls the function, and backward() on its first result; returns the second one, detached."""
        if self.fast is not None:
            try:
                return self._gradients(self.fast, *arguments)
            except torch.OutOfMemoryError:
                raise
            except Exception:
                print("not compiled:\n" + traceback.format_exc(limit=3), flush=True)
                self.fast = None
        return self._gradients(self.plain, *arguments)

    def _gradients(self, function, *arguments):
        self.reset()
        minimised, shown = function(*arguments)
        minimised.backward()
        return shown.detach()
