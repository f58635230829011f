"""Cards: the JSON beside each network's weights that says what it is, where it comes from and how good it is."""

import json
import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from scse_viz.blocks import VARIANTS, BlockInfo, variant_gates
from scse_viz.installation import shipped
from scse_viz.models import ALL_ARCHITECTURES, SMP_UNET, block_infos, build
from scse_viz.zoo.preprocessing import HEADS, WINDOW, Preprocessing, Window
from scse_viz.zoo.structures import Structure

PRETRAINED = shipped("pretrained")
"""The shipped networks."""
OWN_FOLDERS = "SCSE_VIZ_MODELS"
"""The environment variable with folders of the user's own networks, separated as in PATH."""
DTYPES = ("float32", "float16", "bfloat16")
COLOUR = re.compile("#[0-9a-f]{6}")


class WeightsError(ValueError):
    """Weights or a card that cannot be used; the message is a sentence for users."""


@dataclass(frozen=True)
class Card:
    """What a network is, where it comes from and how good it is.

    `structures` are its classes, row = class number; `pixel_mm` the size of the pixels it was trained on; `training`
    data, licence, seed, steps and crops; `figures` what was measured, Dice in 0 to 1 (`mean_dice` over the structures);
    `sha256` that of the weights' file; `dtype` how they are stored; `channels` the names of the input's channels where
    each is a scan of another kind, and none where one scan fills them all.

    An `smp-unet` has its `encoder`, as segmentation_models_pytorch names it, the channels of its decoder as widths, and
    its `blocks`, as one pass showed them. A network of another library has `blocks` in place of widths, and its own
    `input`; `architecture` and `variant` then only tell it from others, and `head`, one of HEADS, says what its output
    means.
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
    window: Window = WINDOW
    dtype: str = "float32"
    training: Mapping[str, Any] | None = None
    figures: Mapping[str, Any] | None = None
    channels: tuple[str, ...] = ()
    encoder: str = ""
    blocks: tuple[BlockInfo, ...] = ()
    input: Preprocessing | None = None
    head: str = HEADS[0]

    def __post_init__(self) -> None:
        sizes = (*self.widths, self.in_channels, self.reduction)
        names = [structure.name for structure in self.structures]
        checks = {
            f"architecture {self.architecture!r} is unknown": (
                bool(self.blocks) or self.architecture in ALL_ARCHITECTURES
            ),
            "an encoder is named, or left out, against its architecture": (
                bool(self.encoder) == (self.architecture == SMP_UNET) or bool(self.blocks)
            ),
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
            f"head {self.head!r} is not one of {', '.join(HEADS)}": self.head in HEADS,
            "parameters must be a whole number": isinstance(self.parameters, int),
            "training and figures must be tables": all(
                table is None or isinstance(table, Mapping) for table in (self.training, self.figures)
            ),
        }
        for sentence, holds in checks.items():
            if not holds:
                raise ValueError(sentence)

    @property
    def foreign(self) -> bool:
        """Whether it is a network of another library that a user opened."""
        return self.input is not None

    @property
    def of_library(self) -> bool:
        """Whether its blocks are those of another library, as a pass showed them: opened, or an smp-unet."""
        return self.foreign or bool(self.encoder)

    @property
    def preprocessing(self) -> Preprocessing:
        """How a slice becomes its input. Ours pad themselves."""
        return self.input or Preprocessing(self.in_channels, self.channels, self.pixel_mm, window=self.window)

    def network(self, seed: int | None = None) -> nn.Module:
        """The network of this card without its weights, one of ours."""
        if self.encoder:
            from scse_viz.models.smp_unet import build_smp_unet  # the library takes seconds to import

            return build_smp_unet(
                self.variant,
                encoder=self.encoder,
                classes=len(self.structures),
                widths=self.widths,
                in_channels=self.in_channels,
                seed=seed,
            )
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
        return self.blocks or block_infos(self.widths)

    @property
    def gates(self) -> tuple[str, ...]:
        """The kinds of gates that its blocks have, as fields of a recording are called, in the order of a block."""
        of_blocks = (kind for block in self.block_table for kind in block.gates)
        return tuple(dict.fromkeys(of_blocks)) if self.block_table[0].kind else variant_gates(self.variant)

    @property
    def multiple(self) -> int:
        """Rows and columns of the input are padded, at the bottom and right, to a multiple of this."""
        return self.input.multiple if self.input else max(block.scale for block in self.block_table)


@dataclass(frozen=True)
class Listing:
    """The contents of folders of networks: cards by name, and a sentence for every file and folder left out."""

    cards: dict[str, Card]
    skipped: tuple[str, ...] = ()


def folders() -> tuple[Path, ...]:
    """Where networks are: the shipped folder, then those that the environment variable SCSE_VIZ_MODELS lists."""
    return (PRETRAINED, *(Path(part) for part in os.environ.get(OWN_FOLDERS, "").split(os.pathsep) if part))


def home(name: str) -> Path:
    """The first folder among `folders()` that holds the network `name`; the shipped one where none does."""
    for place in folders():
        with suppress(WeightsError):
            if place / f"{name}.json" in _card_files(place):
                return place
    return PRETRAINED


def listing(folder: Path | None = None) -> Listing:
    """Every card of a folder, or of all `folders()`, by the name of its network.

    Ordered by anatomy, then as ARCHITECTURES and VARIANTS are. What is no card, cannot be read, or has a name that is
    already in use is left out, with a sentence.
    """
    by_name: dict[str, tuple[Card, Path]] = {}
    skipped = []
    for directory in folders() if folder is None else (folder,):
        try:
            files = _card_files(directory)
        except WeightsError as error:
            skipped.append(str(error))
            continue
        for path in files:
            try:
                card = _read_card(path)
            except WeightsError as error:
                skipped.append(str(error))
                continue
            if card.name in by_name:
                first = by_name[card.name][1].parent
                skipped.append(f"{path}: a network of this name is in {first}; remove one, or train it under another")
                continue
            by_name[card.name] = card, path
    return Listing(
        {card.name: card for card in sorted((card for card, _ in by_name.values()), key=_order)}, (*skipped,)
    )


def cards(folder: Path | None = None) -> dict[str, Card]:
    """The cards of `listing`."""
    return listing(folder).cards


def _order(card: Card) -> tuple[str, int, int, str]:
    architectures, variants = list(ALL_ARCHITECTURES), list(VARIANTS)
    return card.anatomy, architectures.index(card.architecture), variants.index(card.variant), card.name


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
    """Write the card of a network of ours to a folder, over an older one."""
    facts = {key: value for key, value in asdict(card).items() if key not in _FOREIGN}
    if not card.encoder:
        del facts["encoder"], facts["blocks"]  # widths imply them
    (folder / f"{card.name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


_FOREIGN = ("input", "head")


def _card_files(folder: Path) -> list[Path]:
    """The files of a folder that may be cards; raises WeightsError for a folder that is not there or cannot be read."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if name.endswith(".json"))
    except (FileNotFoundError, NotADirectoryError):
        sentence = f"{folder}: no such folder; correct {OWN_FOLDERS}, which lists it, or unset it"
    except OSError as error:
        sentence = f"{folder}: {error.strerror}; let the app read it, or take it out of {OWN_FOLDERS}"
    raise WeightsError(sentence)


def _read_card(path: Path) -> Card:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not {"name", "widths", "structures"} <= facts.keys():
            raise ValueError("it lacks name, widths and structures; keep other files in a folder of their own")
        card = card_of(facts)
        if card.name != path.stem:
            raise ValueError(f"it is the card of {card.name!r}; give it that name")
        return card
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path.name} is not a card that can be read: {error}") from error


def card_of(facts: Mapping[str, Any]) -> Card:
    """The card of a network of ours, as its JSON says; raises ValueError, KeyError or TypeError for what is none."""
    return Card(
        **{
            **{key: value for key, value in facts.items() if key not in _FOREIGN},
            "widths": tuple(facts["widths"]),
            "planes": tuple(facts["planes"]),
            "channels": tuple(facts.get("channels", ())),
            "blocks": tuple(BlockInfo(**block) for block in facts.get("blocks", ())),
            "structures": tuple(Structure(**structure) for structure in facts["structures"]),
            "window": Window(**facts["window"]),
        }
    )
