"""Reads and writes safetensors files: an 8-byte header length, a JSON header, then the tensors' bytes."""
import json
import struct

import numpy as np
import torch


def write_half(path, tensors):
    """Writes a state dict as float16."""
    write_mixed(path, tensors, ())


def write_mixed(path, tensors, small):
    """Writes a state dict as float16; the tensors that `small` names as float8_e4m3."""
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in tensors.items():
        values = tensor.detach().cpu().contiguous()
        is_small = name in small
        data = values.to(torch.float8_e4m3fn).view(torch.uint8).numpy() if is_small else values.numpy().astype("<f2")
        dtype = "F8_E4M3" if is_small else "F16"
        header[name] = {"dtype": dtype, "shape": list(data.shape), "data_offsets": [offset, offset + data.nbytes]}
        blobs.append(data.tobytes())
        offset += data.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(blobs)


def read_half(path):
    """A state dict in float32 from a float16 file."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[start:end], "<f2").reshape(entry["shape"]).astype(np.float32)
        tensors[name] = torch.from_numpy(values)
    return tensors
