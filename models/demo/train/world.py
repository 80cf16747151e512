"""The vocabulary of the demo world: what a scene can hold and the captions that name it."""

OBJECTS = ("ball", "cube", "star", "heart", "car", "house", "boat", "fish", "duck", "mushroom")

# Paints, RGB in [0, 1].
COLOURS = {
    "red": (0.88, 0.10, 0.10),
    "orange": (0.99, 0.50, 0.05),
    "yellow": (0.99, 0.85, 0.10),
    "green": (0.13, 0.66, 0.22),
    "blue": (0.10, 0.33, 0.93),
    "purple": (0.52, 0.17, 0.83),
    "pink": (0.99, 0.43, 0.70),
}
# What an object can be made of instead of being painted: (word of the caption, RGB).
MATERIALS = {
    "metal": ("metal", (0.80, 0.82, 0.85)),
    "gold": ("golden", (0.98, 0.74, 0.26)),
    "wood": ("wooden", (0.66, 0.43, 0.23)),
    "stone": ("stone", (0.56, 0.55, 0.53)),
    "glass": ("glass", (0.80, 0.92, 0.97)),
}
LOOKS = (*COLOURS, *MATERIALS)

# The first phrase of each row is the plain one, used by probes and sample prompts.
PLACES = {
    "grass": ("on grass", "on the grass", "in a meadow"),
    "desert": ("in the desert", "on sand", "on the sand"),
    "snow": ("in the snow", "on snow", "on the snow"),
    "sea": ("on the sea", "on the water", "in the sea"),
    "city": ("in the city", "in a city", "on a city street"),
    "forest": ("in a forest", "in the forest", "in the woods"),
    "space": ("in space", "in outer space", "among stars"),
    "underwater": ("under water", "underwater", "under the sea"),
}
BACKGROUNDS = tuple(PLACES)
TIMES = {"day": ("", "by day", ""), "sunset": ("at sunset",) * 3, "night": ("at night",) * 3, "fog": ("in fog", "in the fog", "in fog")}
SEASONS = {"none": ("",) * 3, "spring": ("in spring",) * 3, "autumn": ("in autumn",) * 3, "winter": ("in winter",) * 3}
STYLES = {
    "photo": ("", "a photo of", ""),
    "watercolor": ("a watercolor painting of", "a watercolor of", "a painting of"),
    "oil": ("an oil painting of",) * 3,
    "pencil": ("a pencil drawing of", "a pencil sketch of", "a drawing of"),
    "cartoon": ("a cartoon of", "a comic of", "a cartoon of"),
    "neon": ("a neon picture of", "a neon sign of", "a neon image of"),
}
# Which times and seasons a place can show; the others have no weather.
TIMES_OF = {place: ("day",) if place in ("space", "underwater") else tuple(TIMES) for place in PLACES}
SEASONS_OF = {"grass": ("none", "spring", "autumn"), "forest": ("none", "autumn", "winter"), "city": ("none", "winter")}


def look_word(look):
    """The adjective of a colour or a material."""
    return MATERIALS[look][0] if look in MATERIALS else look


def words():
    """Every word a caption can contain, sorted."""
    phrases = [phrase for rows in (PLACES, TIMES, SEASONS, STYLES) for row in rows.values() for phrase in row]
    return sorted(set(" ".join(["a an", *OBJECTS, *map(look_word, LOOKS), *phrases]).split()))


def caption(object_name, look=None, place=None, time="day", season="none", style="photo", phrases=(0, 0, 0, 0)):
    """'a watercolor painting of a wooden car in the city at night in winter'. None leaves a part out.

    phrases picks the wording of place, time, season and style, 0 to 2 each.
    """
    noun = f"{look_word(look)} {object_name}" if look else object_name
    article = "an" if noun[0] in "aeiou" else "a"
    where = PLACES[place][phrases[0]] if place else ""
    parts = (STYLES[style][phrases[3]], article, noun, where, TIMES[time][phrases[1]], SEASONS[season][phrases[2]])
    return " ".join(part for part in parts if part)


def random_caption(rng, scene):
    """One of the phrasings of a scene {object, look, place, time, season, style}, with parts left out at random."""
    left_out = rng.random(5) < (0.10, 0.10, 0.15, 0.15, 0.10)
    phrases = [0 if draw < 0.6 else 1 if draw < 0.8 else 2 for draw in rng.random(4)]
    look, place, time, season, style = (
        default if gone else scene[name]
        for name, default, gone in zip(("look", "place", "time", "season", "style"), (None, None, "day", "none", "photo"), left_out)
    )
    return caption(scene["object"], look, place, time, season, style, phrases)
