"""What a reconstructed picture is judged by: values, the whole picture's error, edges."""


def edges(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def picture_loss(target, output, weight):
    """Pictures in [-1, 1], weight [N, 1, H, W] (1 for the ground, more for objects).

    The root of each picture's squared error is close to what the measure in decibels counts: it is the mean over pictures
    of a logarithm, in which a smooth picture counts as much as one of many outlines.
    """
    difference = target - output
    value = (difference.abs() * weight).mean()
    root = ((difference.pow(2) * weight).mean((1, 2, 3)) + 1e-5).sqrt().mean()
    edge = sum((a - b).abs().mean() for a, b in zip(edges(target), edges(output)))
    return value + root + 0.1 * edge
