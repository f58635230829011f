"""The structures that networks name: class numbers, names and colours."""

import colorsys
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Structure:
    """A class of a segmentation: its number in label maps, its name, and its colour as `#rrggbb`."""

    number: int
    name: str
    colour: str


_BRAIN = (
    ("background", "#000000"),
    ("cerebral white matter", "#f5f5f5"),
    ("cerebral cortex", "#cd3e4e"),
    ("lateral ventricle", "#781286"),
    ("cerebellar white matter", "#dcf8a4"),
    ("cerebellar cortex", "#e69422"),
    ("thalamus", "#00760e"),
    ("caudate", "#7abadc"),
    ("putamen", "#ec0db0"),
    ("pallidum", "#0c30ff"),
    ("hippocampus", "#dcd814"),
    ("amygdala", "#67ffff"),
    ("accumbens", "#ffa500"),
    ("ventral DC", "#a52a2a"),
    ("third ventricle", "#ccb68e"),
    ("fourth ventricle", "#2acca4"),
    ("brain stem", "#779fb0"),
    ("extra-cerebral CSF", "#3c3c3c"),
)
BRAIN = tuple(Structure(number, name, colour) for number, (name, colour) in enumerate(_BRAIN))
"""Left and right merged; colours of FreeSurferColorLUT.txt."""

_HIPPOCAMPUS = (
    ("background", "#000000"),
    ("anterior hippocampus", "#e69f00"),
    ("posterior hippocampus", "#56b4e9"),
)
HIPPOCAMPUS = tuple(Structure(number, name, colour) for number, (name, colour) in enumerate(_HIPPOCAMPUS))
"""As numbered by the Medical Segmentation Decathlon; orange and sky blue of Okabe and Ito, distinct to all readers."""

ANATOMIES = {"brain": BRAIN, "hippocampus": HIPPOCAMPUS, "malc": BRAIN}
"""The structures of each anatomy by its name on cards."""

PALETTE = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""Okabe and Ito's colours, distinguishable with any colour vision."""
MOST_STRUCTURES = 256
NAME_COLOUR = re.compile(r"(?P<name>.*?)\s*(?P<colour>#[0-9a-fA-F]{6})?")


def numbered(count: int, names: Sequence[str] = (), colours: Sequence[str | None] = ()) -> tuple[Structure, ...]:
    """`count` structures, background first; those without a name are called by their number, colours are of PALETTE.

    Raises ValueError for more names than structures, and for more than 256 structures.
    """
    if count == 1:
        raise ValueError("one class, where softmax tells two or more apart; say that its head is a sigmoid")
    if not 2 <= count <= MOST_STRUCTURES:
        raise ValueError(f"{count} classes; a label map has 2 to {MOST_STRUCTURES}, background included")
    if len(names) > count:
        raise ValueError(f"{len(names)} names for {count} classes, background included; give {count} at most")
    named = [*names, *map(_plain_name, range(len(names), count))]
    if len(set(named)) < count:
        raise ValueError("two classes have the same name; give each its own")
    given = [*colours, *[None] * (count - len(colours))]
    return tuple(
        Structure(number, name, (given[number] or _own_colour(number)).lower()) for number, name in enumerate(named)
    )


def read_structures(text: str, count: int) -> tuple[Structure, ...]:
    """`count` structures as typed ("background, liver #d55e00, spleen") or as JSON.

    JSON may be what `segment` writes ({"0": "background", ...}), a list of names, a dataset.json with "labels", or a
    list of {"name", "colour", "number"}, of which only the name must be there. Typed names that leave out background
    are put after it.
    Raises ValueError for what is neither, and as `numbered`.
    """
    text = text.strip()
    entries = _json_entries(text) if text.startswith(("{", "[")) else _typed_entries(text)
    if len(entries) == count - 1 and 0 not in entries:
        entries = {0: ("background", None), **entries}
    elif len(entries) == count - 1 and 0 in entries and entries[0][0].lower() != "background":
        entries = {0: ("background", None), **{number + 1: entry for number, entry in entries.items()}}
    if entries and max(entries) >= count:
        raise ValueError(f"class {max(entries)} is named, and the network has classes 0 to {count - 1}")
    names = [entries.get(number, ("", None))[0] or _plain_name(number) for number in range(count)]
    return numbered(count, names, [entries.get(number, ("", None))[1] for number in range(count)])


def _typed_entries(text: str) -> dict[int, tuple[str, str | None]]:
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    matches = [NAME_COLOUR.fullmatch(part) for part in parts]
    return {number: (match["name"], match["colour"]) for number, match in enumerate(matches) if match}


def _json_entries(text: str) -> dict[int, tuple[str, str | None]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the classes are not JSON ({error})") from error
    if isinstance(content, dict) and isinstance(content.get("labels"), dict):
        content = content["labels"]
    try:
        if isinstance(content, dict):  # number -> name, or, as nnU-Net has it, name -> number
            numbers = all(str(key).isdecimal() for key in content)
            pairs = content.items() if numbers else ((number, name) for name, number in content.items())
            return {int(number): (str(name), None) for number, name in pairs}
        if all(isinstance(entry, str) for entry in content):
            return {number: (name, None) for number, name in enumerate(content)}
        listed = [
            (int(entry.get("number", place)), str(entry["name"]), entry.get("colour"))
            for place, entry in enumerate(content)
        ]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ValueError(
            "the classes must be names by number, a list of names, or of name, colour and number"
        ) from error
    return {number: (name, _colour(colour)) for number, name, colour in listed}


def _colour(text: object) -> str | None:
    if text is not None and not re.fullmatch(r"#[0-9a-fA-F]{6}", str(text)):
        raise ValueError(f"colour {text!r} is not like #0c30ff")
    return None if text is None else str(text)


def _plain_name(number: int) -> str:
    return f"class {number}" if number else "background"


def _own_colour(number: int) -> str:
    """Black for background, then PALETTE, then hues of the golden angle."""
    if number == 0:
        return "#000000"
    if number <= len(PALETTE):
        return PALETTE[number - 1]
    red, green, blue = colorsys.hls_to_rgb(number * 0.381966 % 1, 0.6, 0.7)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
