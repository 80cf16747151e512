"""An object under construction: parts laid over each other, each with its paint and its surface normals."""
import numpy as np

from geometry import cover, paint

FLAT = (0.0, 0.0, 1.0)


class Solid:
    """Coordinates x, y [H, W] are the object's own (about one unit in radius, y down); pixel is one pixel in them.

    base is the RGB of the object's look; paints says whether parts may have colours of their own (a painted toy) or
    are all of the one material, told apart by tone.
    """

    def __init__(self, x, y, pixel, base, paints):
        self.x, self.y, self.pixel = x, y, pixel
        self.base, self.paints = np.asarray(base, np.float32), paints
        self.coverage = np.zeros(x.shape, np.float32)
        self.albedo = np.zeros(x.shape + (3,), np.float32)
        self.normal = np.zeros(x.shape + (3,), np.float32)
        self.line = np.full(x.shape, 9.0, np.float32)  # distance to the nearest drawn edge

    def colour(self, own=None, tone=1.0):
        """The paint of a part: its own colour on a painted toy, else the base, lighter or darker."""
        if own is None:
            return np.clip(self.base * tone, 0, 1)
        own = np.asarray(own, np.float32)
        return own if self.paints else np.clip(self.base * (0.55 + 0.60 * own.mean()), 0, 1)

    def cushion(self, inside, thickness):
        """Normals [H, W, 3] of a flat shape blown up like a cushion."""
        rise = np.clip(inside / thickness, 0, 1)
        height = thickness * np.sqrt(1 - (1 - rise) ** 2 + 0.01)
        slope_y, slope_x = np.gradient(height, self.pixel)
        length = np.sqrt(slope_x**2 + slope_y**2 + 1)
        return np.stack([-slope_x / length, -slope_y / length, 1 / length], -1)

    def add(self, inside, colour, thickness=0.0, normal=None, outline=True):
        """Lays a part on top. normal is 3 values or an image; without one the part is a cushion, or flat."""
        coverage = cover(inside, self.pixel).astype(np.float32)
        if normal is None:
            normal = self.cushion(inside, thickness) if thickness else FLAT
        self.albedo = paint(self.albedo, colour, coverage)
        self.normal = paint(self.normal, normal, coverage)
        self.coverage = np.maximum(self.coverage, coverage)
        if outline:
            self.line = np.where(inside > 0, np.abs(inside), np.minimum(self.line, np.abs(inside)))

    def decal(self, inside, colour, strength=1.0, outline=False):
        """Paints on what is there and keeps its form."""
        coverage = cover(inside, self.pixel) * (self.coverage > 0) * strength
        self.albedo = paint(self.albedo, colour, coverage)
        if outline:
            self.line = np.minimum(self.line, np.where(self.coverage > 0, np.abs(inside), 9.0))
