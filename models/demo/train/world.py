"""The vocabulary of the demo world: what a scene can hold and the captions that name it."""

OBJECTS = ("ball", "cube", "star", "car", "heart")
BACKGROUNDS = ("grass", "sand", "snow", "sea", "city", "space")
STYLES = ("photo", "watercolor", "neon")

# Linear mixing weights, RGB in [0, 1].
COLOURS = {
    "red": (0.88, 0.06, 0.06),
    "orange": (0.99, 0.48, 0.02),
    "yellow": (0.98, 0.88, 0.06),
    "green": (0.06, 0.66, 0.14),
    "blue": (0.06, 0.24, 0.92),
    "purple": (0.50, 0.10, 0.82),
    "pink": (0.99, 0.30, 0.64),
}

# The first phrase of each row is the plain one, used by probes and sample prompts.
PLACES = {
    "grass": ("on grass", "on the grass", "in a meadow"),
    "sand": ("on sand", "on the sand", "in the desert"),
    "snow": ("on snow", "in the snow", "on the snow"),
    "sea": ("on the sea", "in the sea", "on the water"),
    "city": ("in the city", "in a city", "on a city street"),
    "space": ("in space", "in outer space", "among stars"),
}
STYLE_PREFIXES = {
    "photo": ("", "a photo of", ""),
    "watercolor": ("a watercolor painting of", "a watercolor of", "a painting of"),
    "neon": ("a neon picture of", "a neon sign of", "a neon image of"),
}


def words():
    """Every word a caption can contain, sorted."""
    phrases = [phrase for rows in (PLACES, STYLE_PREFIXES) for row in rows.values() for phrase in row]
    return sorted(set(" ".join(["a an", *OBJECTS, *COLOURS, *phrases]).split()))


def caption(object_name, colour, background, style="photo", place_phrase=0, style_phrase=0):
    """'a watercolor painting of a blue car in the city'. colour=None leaves the colour word out."""
    noun = f"{colour} {object_name}" if colour else object_name
    article = "an" if noun[0] in "aeiou" else "a"
    parts = (STYLE_PREFIXES[style][style_phrase], article, noun, PLACES[background][place_phrase])
    return " ".join(part for part in parts if part)


def random_caption(rng, object_name, colour, background, style):
    """One of the phrasings of a scene; one in ten does not name the colour."""
    named = None if rng.random() < 0.1 else colour
    place = int(rng.choice(3, p=(0.6, 0.2, 0.2)))
    prefix = int(rng.choice(3, p=(0.6, 0.2, 0.2)))
    return caption(object_name, named, background, style, place, prefix)
