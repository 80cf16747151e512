"""PNG files and contact sheets, with zlib alone."""
import struct
import zlib

import numpy as np


def write_png(path, rgb):
    """rgb is uint8 [H, W, 3]."""
    height, width, _ = rgb.shape
    above = np.concatenate([np.zeros_like(rgb[:1]), rgb[:-1]])
    rows = np.full((height, 1 + 3 * width), 2, np.uint8)  # filter 2: every row as its difference from the one above
    rows[:, 1:] = (rgb - above).reshape(height, 3 * width)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header))
        file.write(chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + chunk(b"IEND", b""))


def contact_sheet(images, columns, gap=2):
    """Images uint8 [N, H, W, 3] in rows of `columns`, white gaps of `gap` pixels."""
    count, height, width, _ = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet
