"""AdamW over one flat parameter vector that several single-thread processes share.

On a CPU two processes with half a batch each train about twice as fast as one process with two threads, and suffer less
from other programs. Each process fills a gradient vector of its own; then each updates its share of the parameters. On
a GPU there is one process.
"""
import ctypes
import signal
import sys

import torch
import torch.multiprocessing as multiprocessing

from workspace import save_atomically

CACHED = 1 << 15  # parameters updated at a time


def shaped(flat, p):
    """A view of a flat vector with a parameter's shape; convolutions in channels-last order, which is faster."""
    if p.dim() != 4:
        return flat.view_as(p)
    out, inputs, height, width = p.shape
    return flat.view(out, height, width, inputs).permute(0, 3, 1, 2)


class SharedAdam:
    """Owns the parameters of some modules; make it before starting processes, call `attach` inside each."""

    def __init__(self, modules, world):
        self.parameters = [p for module in modules for p in module.parameters()]
        self.world = world
        device = self.parameters[0].device
        count = sum(p.numel() for p in self.parameters)
        self.values, self.average, self.momentum, self.variance, self.decay, self.pace = (
            self._shared(torch.zeros(count, device=device)) for _ in range(6)
        )
        self.pace.fill_(1)
        self.gradients = [self._shared(torch.zeros(count, device=device)) for _ in range(world)]
        self.norms = self._shared(torch.zeros(world, device=device))
        self.clock = self._shared(torch.zeros(1, dtype=torch.float64))
        self.barrier = multiprocessing.Barrier(world)
        self.step = 0
        for p, piece in zip(self.parameters, self._pieces(self.values)):
            piece.copy_(p.data)
            p.data = piece
        for p, piece in zip(self.parameters, self._pieces(self.decay)):
            piece.fill_(float(p.dim() > 1))  # no decay for biases and norms
        self.average.copy_(self.values)

    def _shared(self, tensor):
        return tensor if tensor.is_cuda else tensor.share_memory_()

    def _pieces(self, flat):
        """Views of a flat vector with the parameters' shapes."""
        offset = 0
        for p in self.parameters:
            yield shaped(flat[offset : offset + p.numel()], p)
            offset += p.numel()

    def attach(self, rank):
        self.rank = rank
        for p, piece in zip(self.parameters, self._pieces(self.gradients[rank])):
            p.grad = piece

    def _parts(self):
        """The slices of the vector that this process updates; on a CPU each fits the cache."""
        count = len(self.values)
        length = count if self.values.is_cuda else CACHED
        return [slice(i, min(i + length, count)) for i in range(self.rank * length, count, self.world * length)]

    def set_pace(self, pace):
        """How fast each parameter moves: {parameter: factor of the rate, a number or a tensor of its shape}; others: 1."""
        for p, piece in zip(self.parameters, self._pieces(self.pace)):
            if p in pace:
                piece.copy_(torch.as_tensor(pace[p]).expand_as(piece))

    def zero_grad(self):
        self.gradients[self.rank].zero_()

    def agree(self, value):
        """The first process's value, in every process."""
        if self.world == 1:
            return value
        if self.rank == 0:
            self.clock[0] = value
        self.barrier.wait()
        agreed = float(self.clock[0])
        self.barrier.wait()
        return agreed

    def update(self, rate, beta1=0.9, beta2=0.99, weight_decay=0.01, clip=1.0, average_decay=0.997):
        """One AdamW step with the mean gradient, clipped to a norm; the average follows. A gradient that is not finite
        counts as zero. Nothing here waits for a GPU."""
        self.barrier.wait()
        self.step += 1
        total = self.gradients[0]
        squares = 0
        for part in self._parts():
            for other in self.gradients[1:]:
                total[part] += other[part]
            total[part] *= self.pace[part] > 0  # what is held does not count for the norm
            squares = squares + total[part].pow(2).sum()
        self.norms[self.rank] = squares
        self.barrier.wait()
        norm = self.norms.sum().sqrt() / self.world
        scale = torch.where(norm.isfinite(), (clip / (norm + 1e-8)).clamp(max=1), 0) / self.world
        warm = min(average_decay, (self.step + 1) / (self.step + 20))
        for part in self._parts():
            gradient, values = (total[part] * scale).nan_to_num_(0, 0, 0), self.values[part]
            momentum, variance = self.momentum[part], self.variance[part]
            momentum.lerp_(gradient, 1 - beta1)
            variance.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            spread = (variance / (1 - beta2**self.step)).sqrt_().add_(1e-8)
            values.sub_(self.decay[part] * values, alpha=rate * weight_decay)
            values.addcdiv_(momentum * self.pace[part], spread, value=-rate / (1 - beta1**self.step))
            self.average[part].lerp_(values, 1 - warm)
        self.barrier.wait()

    def save(self, path, **extra):
        """Writes everything needed to go on, atomically. Call between two updates, in one process."""
        state = {name: getattr(self, name).cpu().clone() for name in ("values", "average", "momentum", "variance")}
        save_atomically({**state, "step": self.step, **extra}, path)

    def load(self, path):
        """Restores what `save` wrote and returns it."""
        state = torch.load(path, map_location="cpu")
        for name in ("values", "average", "momentum", "variance"):
            getattr(self, name).copy_(state[name])
        self.step = state["step"]
        return state

    def mirror_average(self, modules):
        """Makes copies of the modules read the averaged weights, always up to date."""
        copies = [p for module in modules for p in module.parameters()]
        for p, piece in zip(copies, self._pieces(self.average)):
            p.data = piece

    def use_average(self):
        """Puts the averaged weights into the modules."""
        self.values.copy_(self.average)


def processes(device):
    """How many processes train: two single-thread ones on a CPU, one on a GPU."""
    return 1 if device == "cuda" else 2


def end_with_parent():
    """On Linux, this process is ended when the one that started it is."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def launch(run, device):
    """Calls run(rank) in every training process and waits."""
    if device == "cuda":
        run(0)
        return

    def worker(rank):
        end_with_parent()
        run(rank)

    torch.set_num_threads(1)
    workers = [multiprocessing.get_context("fork").Process(target=worker, args=(rank,)) for rank in range(2)]
    for process in workers:
        process.start()
    while any(process.is_alive() for process in workers):
        workers[0].join(1)
        if any(process.exitcode for process in workers):  # the others would wait for it for ever
            for process in workers:
                process.terminate()
    if any(process.exitcode for process in workers):
        raise RuntimeError("a training process failed; its message is above. Run the same command to go on.")
