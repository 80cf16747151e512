"""Keeps the code of one kind of card in a CUDA library, so that it compresses to a fifth.

A library holds each kernel compiled for several architectures, in "fat binaries" (the section .nv_fatbin). The driver
takes the entry of its own architecture and never reads the others. Their bytes are replaced by zeros: no offset
changes, and zeros cost nothing once compressed.

A fat binary begins with magic 0xBA55ED50 (u32), version 1 (u16), header size 16 (u16) and the size of its entries
(u64). An entry begins with kind (u16), attributes (u16), header size (u32) and payload size (u64); its architecture
(u32, 90 for compute capability 9.0) is at byte 28.

    python3 keep_architecture.py LIBRARY RESULT ARCHITECTURE
"""

import struct
import sys

MAGIC = struct.pack("<I", 0xBA55ED50)
HEADER = struct.Struct("<IHHQ")
ENTRY = struct.Struct("<HHIQ")
ARCHITECTURE_AT = 28


def keep_architecture(data, architecture):
    """Zeroes other architectures' entries in the bytearray `data`. Returns bytes kept and bytes dropped."""
    kept = dropped = 0
    at = data.find(MAGIC)
    while at >= 0:
        _, version, header, size = HEADER.unpack_from(data, at)
        if version != 1 or header != HEADER.size or at + header + size > len(data):
            at = data.find(MAGIC, at + 4)
            continue
        entry, end = at + header, at + header + size
        while entry < end:
            kind, _, entry_header, payload = ENTRY.unpack_from(data, entry)
            if kind not in (1, 2) or entry + entry_header + payload > end:
                raise ValueError(f"the fat binary at byte {at} has an entry of kind {kind} at byte {entry}")
            (found,) = struct.unpack_from("<I", data, entry + ARCHITECTURE_AT)
            if found == architecture:
                kept += payload
            else:
                start = entry + entry_header
                data[start : start + payload] = bytes(payload)
                dropped += payload
            entry += entry_header + payload
        at = data.find(MAGIC, end)
    return kept, dropped


def main():
    library, result, architecture = sys.argv[1:]
    with open(library, "rb") as file:
        data = bytearray(file.read())
    kept, dropped = keep_architecture(data, int(architecture))
    if kept == 0:
        raise SystemExit(f"{library} has no code for architecture {architecture}.")
    with open(result, "wb") as file:
        file.write(data)
    print(f"kept {kept / 1e6:.0f} MB for architecture {architecture}, dropped {dropped / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
