"""Distances, ramps and the laying of one colour over another: what the drawings are made of."""
import numpy as np


def smoothstep(low, high, x):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def cover(inside_distance, pixel):
    """Antialiased coverage of a shape from the distance to its edge (positive inside)."""
    return np.clip(inside_distance / pixel + 0.5, 0, 1)


def paint(rgb, colour, coverage):
    """rgb with a colour (3 values or an image) laid over it."""
    return rgb + (np.asarray(colour, np.float32) - rgb) * coverage[..., None]


def ramp(low, high, t):
    """Colours between two, t is an image."""
    low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
    return low + (high - low) * np.clip(t, 0, 1)[..., None]


def circle(x, y, centre_x, centre_y, radius):
    """Inside distance of a disc."""
    return radius - np.hypot(x - centre_x, y - centre_y)


def ellipse(x, y, centre_x, centre_y, radius_x, radius_y):
    """Inside distance of an ellipse, first order."""
    u, v = (x - centre_x) / radius_x, (y - centre_y) / radius_y
    length = np.sqrt(u * u + v * v) + 1e-6
    slope = np.hypot(u / radius_x, v / radius_y) / length + 1e-6
    return (1 - length) / slope


def box(x, y, centre_x, centre_y, half_width, half_height, radius=0.0):
    """Inside distance of a rounded box."""
    dx, dy = np.abs(x - centre_x) - half_width + radius, np.abs(y - centre_y) - half_height + radius
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return radius - outside - np.minimum(np.maximum(dx, dy), 0)


def convex(x, y, *corners):
    """Inside distance of a convex polygon, corners clockwise on the screen (y down); exact away from the corners."""
    inside = None
    for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0])):
        length = np.hypot(bx - ax, by - ay)
        side = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length
        inside = side if inside is None else np.minimum(inside, side)
    return inside


def union(a, b, blend=0.0):
    """Inside distance of two shapes together; blend rounds the seam between them."""
    if not blend:
        return np.maximum(a, b)
    h = np.clip(0.5 + 0.5 * (a - b) / blend, 0, 1)
    return b + (a - b) * h + blend * h * (1 - h)
