"""Changes of low rank on the layers of a network, and their file in the names of PEFT."""
import torch
from torch import nn
from torch.nn import functional as F


class LowRank(nn.Module):
    """A linear layer or a convolution whose weight can have a change of low rank: weight + up @ down.

    `uses` says which: 'trained', their running 'average', or 'teacher' for the layer as it is.
    """

    def __init__(self, layer, rank):
        super().__init__()
        self.layer = layer
        out, inputs = layer.weight.shape[0], layer.weight[0].numel()
        self.trained = nn.ParameterList([torch.randn(rank, inputs) / inputs**0.5, torch.zeros(out, rank)])
        self.average = [factor.detach().clone() for factor in self.trained]
        self.uses = "trained"

    def weight(self):
        if self.uses == "teacher":
            return self.layer.weight
        down, up = self.trained if self.uses == "trained" else self.average
        return self.layer.weight + (up @ down).view_as(self.layer.weight)

    def forward(self, x):
        if isinstance(self.layer, nn.Linear):
            return F.linear(x, self.weight(), self.layer.bias)
        return F.conv2d(x, self.weight(), self.layer.bias, self.layer.stride, self.layer.padding)

    def follow(self, decay):
        """Moves the average a little towards what is trained."""
        for mean, factor in zip(self.average, self.trained):
            mean.lerp_(factor.detach(), 1 - decay)

    def tensors(self, name):
        """The average as PEFT stores it: the first factor of a convolution has its kernel, the second one has a kernel of 1."""
        down, up = self.average
        shape = self.layer.weight.shape
        down = down.view(-1, *shape[1:])
        up = up if len(shape) == 2 else up[:, :, None, None]
        return {f"unet.{name}.lora_A.weight": down, f"unet.{name}.lora_B.weight": up}


class Student:
    """A network with a LowRank in every layer but its first and last, which is its own teacher without them."""

    def __init__(self, network, rank):
        self.network = network.requires_grad_(False)
        self.layers = {}
        for name, layer in list(network.named_modules()):
            if isinstance(layer, (nn.Linear, nn.Conv2d)) and name not in ("conv_in", "conv_out"):
                parent, _, own = name.rpartition(".")
                self.layers[name] = LowRank(layer, rank)
                setattr(network.get_submodule(parent), own, self.layers[name])

    def parameters(self):
        return [factor for layer in self.layers.values() for factor in layer.trained]

    def run(self, which, *inputs):
        """The network's answer as the 'teacher', the 'average' or the 'trained' student; gradients for the last alone."""
        for layer in self.layers.values():
            layer.uses = which
        with torch.set_grad_enabled(which == "trained"):
            return self.network(*inputs)

    def follow(self, decay):
        for layer in self.layers.values():
            layer.follow(decay)

    def tensors(self):
        return {key: value for name, layer in self.layers.items() for key, value in layer.tensors(name).items()}

    def state(self):
        return {name: [*map(torch.clone, layer.average), *(f.detach().clone() for f in layer.trained)] for name, layer in self.layers.items()}

    def load(self, state):
        with torch.no_grad():
            for name, layer in self.layers.items():
                for to, value in zip([*layer.average, *layer.trained], state[name]):
                    to.copy_(value)
