"""Exact optical flow between two frames of a clip, from the motion of each layer."""
import numpy as np

from camera import OBJECT, OCCLUDER, layer_speed
from scene import frame_coordinates, object_coordinates, view_coordinates

SHADOW_TOLERANCE = 0.03  # larger changes of the contact shadow make ground pixels untrusted


def moved_point(layer, x, y, before, after):
    """Where a layer's points at view coordinates x, y of one scene are in the next, in view coordinates."""
    if layer == OBJECT:
        u, v = object_coordinates(before, x, y)
        cos, sin = np.cos(after.angle), np.sin(after.angle)
        return after.x + after.size * (u * cos - v * sin), after.y + after.size * (u * sin + v * cos)
    if layer == OCCLUDER:
        return x + after.occluder - before.occluder, y
    return x - (after.pan - before.pan) * layer_speed(layer, y, before.horizon), y


def forward_flow(before, after, layers):
    """Pixels that every point of `before` moves by, float [2, H, W] (dx right, dy down); layers is its layer map."""
    size = layers.shape[0]
    frame_x, frame_y = frame_coordinates(size)
    x, y = view_coordinates(before, frame_x, frame_y)
    flow = np.zeros((2, size, size), np.float32)
    for layer in np.unique(layers):
        here = layers == layer
        to_x, to_y = moved_point(layer, x, y, before, after)
        dx = (to_x - after.shake_x) * after.zoom - frame_x
        dy = (to_y - after.shake_y) * after.zoom - frame_y
        flow[0][here], flow[1][here] = dx[here] * size / 2, dy[here] * size / 2
    return flow


def interior(layers):
    """True where the 3x3 neighbourhood is one layer: away from mixed edge pixels."""
    padded = np.pad(layers, 1, mode="edge")
    height, width = layers.shape
    shifts = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.logical_and.reduce([shift == layers for shift in shifts])


def trusted(flow, layers, next_layers, shadow, next_shadow, look):
    """True where the flow's target is visible: in the frame, on the same layer, away from edges and moving shadows.

    Nothing is trusted inside glass: it shows what is behind it, which moves otherwise.
    """
    height, width = layers.shape
    rows, columns = np.mgrid[:height, :width]
    to_x, to_y = columns + flow[0], rows + flow[1]
    inside = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
    near = to_y.round().clip(0, height - 1).astype(int), to_x.round().clip(0, width - 1).astype(int)
    same = (next_layers[near] == layers) & interior(layers) & interior(next_layers)[near]
    still = (layers >= OBJECT) | (np.abs(next_shadow[near] - shadow) < SHADOW_TOLERANCE)
    return inside & same & still & ~((layers == OBJECT) & (look == "glass"))


def warp_errors(frames, flows, valid):
    """Mean |difference| of 255 along the flow over trusted pixels, one number per pair of frames: zero but for
    resampling when the flow is exact. frames uint8 [T, H, W, 3], flows [T-1, 2, H, W], valid [T-1, H, W]."""
    height, width = frames.shape[1:3]
    rows, columns = np.mgrid[:height, :width]
    errors = []
    for t, (flow, trust) in enumerate(zip(flows, valid)):
        x, y = (columns + flow[0]).clip(0, width - 1.001), (rows + flow[1]).clip(0, height - 1.001)
        x0, y0 = x.astype(int), y.astype(int)
        fx, fy = (x - x0)[..., None], (y - y0)[..., None]
        after = frames[t + 1].astype(np.float32)
        top = after[y0, x0] * (1 - fx) + after[y0, x0 + 1] * fx
        bottom = after[y0 + 1, x0] * (1 - fx) + after[y0 + 1, x0 + 1] * fx
        errors.append(float(np.abs(top * (1 - fy) + bottom * fy - frames[t])[trust].mean()))
    return errors
