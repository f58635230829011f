"""Cards: the JSON beside each network's weights that says what it is, where it comes from and how good it is."""

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scse_viz.blocks import VARIANTS, BlockInfo, variant_gates
from scse_viz.models import ARCHITECTURES, EncoderDecoder, block_infos, build
from scse_viz.zoo.structures import Structure

_INSTALLED = Path(__file__).parents[1] / "pretrained"
PRETRAINED = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "pretrained"
"""The shipped networks: inside an installed package, at the top of a checkout."""
OWN = "SCSE_VIZ_MODELS"
"""The environment variable with folders of networks of a person's own, separated as in PATH."""
DTYPES = ("float32", "float16", "bfloat16")
COLOUR = re.compile("#[0-9a-f]{6}")


class WeightsError(ValueError):
    """Weights or a card that cannot be used; the sentence is for people."""


@dataclass(frozen=True)
class Window:
    """Input normalisation: two percentiles of the whole scan become 0 and 1, and values end at 0 and `maximum`."""

    low: float = 0.5
    high: float = 99.5
    maximum: float = 1.5


@dataclass(frozen=True)
class Card:
    """What a network is, where it comes from and how good it is.

    `structures` are its classes, row = class number; `pixel_mm` the size of the pixels it was trained on; `training`
    data, licence, seed, steps and crops; `figures` what was measured, Dice in 0 to 1 (`mean_dice` over the structures);
    `sha256` that of the weights' file; `dtype` how they are stored; `channels` the names of the input's channels where
    each is a scan of another kind, and none where one scan fills them all.
    Raises ValueError for facts that no network can have.
    """

    name: str
    anatomy: str
    architecture: str
    variant: str
    widths: tuple[int, ...]
    structures: tuple[Structure, ...]
    planes: tuple[str, ...]
    parameters: int
    sha256: str
    in_channels: int = 1
    reduction: int = 2
    pixel_mm: float = 1.0
    window: Window = Window()
    dtype: str = "float32"
    training: Mapping[str, Any] | None = None
    figures: Mapping[str, Any] | None = None
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = (*self.widths, self.in_channels, self.reduction)
        names = [structure.name for structure in self.structures]
        checks = {
            f"architecture {self.architecture!r} is unknown": self.architecture in ARCHITECTURES,
            f"variant {self.variant!r} is unknown": self.variant in VARIANTS,
            "widths, in_channels and reduction must be whole numbers of at least 1": all(
                isinstance(size, int) and size > 0 for size in sizes
            ),
            "structures must be 2 to 256, numbered from 0 in order, each with a name of its own": (
                2 <= len(names) <= 256
                and len(set(names)) == len(names)
                and [structure.number for structure in self.structures] == list(range(len(names)))
            ),
            "colours must be like #0c30ff": all(COLOUR.fullmatch(structure.colour) for structure in self.structures),
            "pixel_mm must be a length": 0 < self.pixel_mm < math.inf,
            "window must be two rising percentiles and a maximum": (
                0 <= self.window.low < self.window.high <= 100 and 0 < self.window.maximum < math.inf
            ),
            f"dtype {self.dtype!r} is not one of {', '.join(DTYPES)}": self.dtype in DTYPES,
            f"{len(self.channels)} channels are named and in_channels is {self.in_channels}": (
                len(self.channels) in (0, self.in_channels)
            ),
            "parameters must be a whole number": isinstance(self.parameters, int),
            "training and figures must be tables": all(
                table is None or isinstance(table, Mapping) for table in (self.training, self.figures)
            ),
        }
        for sentence, holds in checks.items():
            if not holds:
                raise ValueError(sentence)

    def network(self, seed: int | None = None) -> EncoderDecoder:
        """The network of this card without its weights."""
        return build(
            self.architecture,
            self.variant,
            classes=len(self.structures),
            widths=self.widths,
            in_channels=self.in_channels,
            reduction=self.reduction,
            seed=seed,
        )

    @property
    def block_table(self) -> tuple[BlockInfo, ...]:
        """The blocks of this card's network in order, with channels and scale, without building the network."""
        return block_infos(self.widths)

    @property
    def gates(self) -> tuple[str, ...]:
        """The kinds of gates that its blocks have, as fields of a recording are called, in the order of a block."""
        of_blocks = (kind for block in self.block_table for kind in block.gates)
        return tuple(dict.fromkeys(of_blocks)) if self.block_table[0].kind else variant_gates(self.variant)

    @property
    def multiple(self) -> int:
        """The network pads the rows and columns of its input, at the bottom and right, to a multiple of this."""
        return max(block.scale for block in self.block_table)


def folders() -> tuple[Path, ...]:
    """Where networks are: the shipped folder, then those that the environment variable SCSE_VIZ_MODELS lists.

    Raises WeightsError for one that is not there.
    """
    own = [Path(part) for part in os.environ.get(OWN, "").split(os.pathsep) if part]
    for folder in own:
        if not folder.is_dir():
            raise WeightsError(f"{folder}: no such folder; correct {OWN}, which lists it, or unset it")
    return (PRETRAINED, *own)


def home(name: str) -> Path:
    """The folder among `folders()` that holds the network `name`; the shipped one where none does."""
    return next((place for place in folders() if name in {path.stem for path in place.glob("*.json")}), PRETRAINED)


def cards(folder: Path | None = None) -> dict[str, Card]:
    """Every card of a folder, or of all `folders()`, by the name of its network.

    Ordered by anatomy, then as ARCHITECTURES and VARIANTS are. Raises WeightsError for a card that cannot be read, and
    for two of one name.
    """
    architectures, variants = list(ARCHITECTURES), list(VARIANTS)
    paths = [path for place in (folders() if folder is None else (folder,)) for path in place.glob("*.json")]
    for path in paths:
        if len(twice := [other for other in paths if other.name == path.name]) > 1:
            places = " and ".join(str(other.parent) for other in twice)
            raise WeightsError(f"{path.stem}: in {places}; take one away, or train it again under another name")
    found = sorted(
        map(_read_card, paths),
        key=lambda card: (
            card.anatomy,
            architectures.index(card.architecture),
            variants.index(card.variant),
            card.name,
        ),
    )
    return {card.name: card for card in found}


def read_card(name: str, folder: Path | None = None) -> Card:
    """The card of the network `name`, whatever else lies in the folder, or in all `folders()`.

    Raises WeightsError for a name that is not there and for a card that cannot be read.
    """
    folder = folder or home(name)
    known = sorted(path.stem for path in folder.glob("*.json"))
    if name not in known:  # looked up, never joined to a path: a name may come from an address bar
        raise WeightsError(f"{name}: no such network in {folder.name}; there are: {', '.join(known) or 'none'}")
    return _read_card(folder / f"{name}.json")


def write_card(card: Card, folder: Path) -> None:
    """Write the card of a network to a folder, over an older one."""
    path = folder / f"{card.name}.json"
    path.write_text(json.dumps(asdict(card), indent=1) + "\n", encoding="utf-8")


def _read_card(path: Path) -> Card:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        facts["widths"] = tuple(facts["widths"])
        facts["planes"] = tuple(facts["planes"])
        facts["channels"] = tuple(facts.get("channels", ()))
        facts["structures"] = tuple(Structure(**structure) for structure in facts["structures"])
        facts["window"] = Window(**facts["window"])
        card = Card(**facts)
        if card.name != path.stem:
            raise ValueError(f"it is the card of {card.name!r}; give it that name")
        return card
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path.name} is not a card that can be read: {error}") from error
