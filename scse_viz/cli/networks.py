"""Networks that a command line names: one of the zoo, a file of another library, or a function of the user's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from scse_viz.cli.common import UsageError, folder_of

if TYPE_CHECKING:  # at run time imported where they are used, so that `--help` need not wait for torch
    from torch import nn

    from scse_viz.zoo import Card
    from scse_viz.zoo.foreign import OpenedNetwork, Request

HEADS = ("softmax", "sigmoid")
SCALINGS = ("window", "z-score", "8-bit", "none")


def add_network_options(command: argparse.ArgumentParser) -> None:
    """Add --network, --weights, and the options that describe a network of another library."""
    group = command.add_argument_group(
        "networks of other libraries",
        "What a file does not say has a default: images scaled by percentiles, pixels as they are.",
    )
    group.add_argument(
        "--network",
        metavar="CODE.py:FUNCTION",
        help="a function of your own code that returns the network; the code runs with your rights",
    )
    group.add_argument("--weights", type=Path, metavar="FILE", help="its weights: .safetensors, .pt, .pth or .ckpt")
    group.add_argument("--architecture", metavar="NAME", help="a class of segmentation_models_pytorch, as Unet")
    group.add_argument("--encoder", metavar="NAME", help="its encoder, as resnet34 or tu-NAME for one of timm")
    group.add_argument(
        "--head", choices=HEADS, help="softmax: one class per pixel; sigmoid: yes or no for each structure"
    )
    group.add_argument(
        "--classes", metavar="NAMES", help='"background, liver #d55e00, spleen", or a JSON file of names by number'
    )
    group.add_argument(
        "--channels",
        metavar="NAMES",
        help='"T1, T2, FLAIR": each channel is a scan of its own, in this order; "": one scan fills all of them; '
        "default: one scan fills three channels, and of other numbers each is a scan",
    )
    group.add_argument("--scaling", choices=SCALINGS, help="of intensities: percentiles, mean and deviation, 255, none")
    group.add_argument(
        "--statistics",
        action=argparse.BooleanOptionalAction,
        help="then subtract the mean and divide by the deviation that the encoder was pretrained with",
    )
    group.add_argument("--pixel-mm", type=float, metavar="MM", help="resample slices to this pixel size")
    group.add_argument("--size", type=int, metavar="N", help="a network of fixed input: resize slices to N × N pixels")
    group.add_argument("--tiles", action="store_true", help="cut slices into tiles of --size instead of resizing them")


def request_of(options: argparse.Namespace, model: str | None = None) -> Request:
    """The request that a command line makes for a network outside the zoo."""
    from scse_viz.zoo.foreign import Answers, Request
    from scse_viz.zoo.preprocessing import channel_names

    if options.tiles and options.size is None:
        raise UsageError("--tiles: give their size with --size")
    if options.weights is not None and options.network is None:
        raise UsageError(
            "--weights: name the function that builds the network with --network, or give the weights as --model"
        )
    answers = Answers(
        head=options.head,
        classes=_classes(options.classes),
        scaling=options.scaling,
        statistics=options.statistics,
        pixel_mm=options.pixel_mm,
        size=options.size,
        tiles=options.tiles,
        channels=None if options.channels is None else channel_names(options.channels),
    )
    weights = None if options.weights is None else str(options.weights)
    return Request(model, options.network, weights, options.architecture, options.encoder, answers)


def chosen_network(options: argparse.Namespace) -> tuple[Card, nn.Module, tuple[str, ...]]:
    """The network that --model or --network names, its card, and notes about it.

    A name of the zoo comes first: a folder that is called the same is given as ./NAME.
    """
    from scse_viz import zoo
    from scse_viz.zoo import foreign

    if (options.model is None) == (options.network is None):
        raise UsageError("give one of --model, a network or a file of one, and --network, a function that makes one")
    folder = folder_of(options.models) if options.models else None  # None: all folders
    if options.model is not None and (options.model in zoo.cards(folder) or not _is_path(options.model)):
        card = zoo.read_card(options.model, folder)
        return card, zoo.load(card.name, folder), ()
    network: OpenedNetwork = foreign.opened(request_of(options, options.model))
    return network.card, network.model, (*network.notes, *network.card.preprocessing.sentences)


def _is_path(text: str) -> bool:
    return Path(text).exists() or Path(text).suffix in (".zip", ".safetensors", ".pt", ".pth", ".ckpt", ".bin")


def _classes(given: str | None) -> str:
    """Names as typed, or the contents of the file that is named."""
    if given is None:
        return ""
    path = Path(given)
    if not given.endswith(".json"):
        return given
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); give a JSON file of names by number") from error
