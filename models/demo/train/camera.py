"""How the layers of a scene move when the camera does. View coordinates: x right, y down, -1..1 at zoom 1."""
import numpy as np

SKY, FAR, MID, GROUND, OBJECT, OCCLUDER = range(6)  # layer numbers, from back to front
SPEED = {SKY: 0.08, FAR: 0.16, MID: 0.25}
CAMERA_HEIGHT = 0.8


def layer_speed(layer, y, horizon):
    """How far a point of a layer moves left, in view units, when the camera pans right by one."""
    if layer in SPEED:
        return np.full_like(y, SPEED[layer])
    return SPEED[MID] + np.maximum(y - horizon, 0) / CAMERA_HEIGHT
