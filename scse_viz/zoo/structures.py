"""The structures that networks name: class numbers, names and colours."""

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
"""As numbered by the Medical Segmentation Decathlon; orange and sky blue of Okabe and Ito, told apart by all eyes."""

ANATOMIES = {"brain": BRAIN, "hippocampus": HIPPOCAMPUS, "malc": BRAIN}
"""The structures of each anatomy by its name on cards."""
