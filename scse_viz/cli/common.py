"""Shared by the commands: errors for users, the folder of networks, the planes."""

import argparse
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add_subparsers` returns: argparse has no public name for its type."""
PLANES = ("axial", "coronal", "sagittal")


class UsageError(ValueError):
    """A request that cannot be met; the message is a sentence for users."""


def add_models_option(command: argparse.ArgumentParser) -> None:
    """Add --models, the folder of networks."""
    command.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="folder of networks (default: those shipped and, for segment and models, those in SCSE_VIZ_MODELS)",
    )


def add_device_option(command: argparse.ArgumentParser) -> None:
    """Add --device, where the networks run."""
    command.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="where networks run: cpu, cuda, cuda:1, ... (default: auto, cuda where torch finds it)",
    )


def folder_of(chosen: Path | None) -> Path:
    """The chosen folder of networks, or the shipped one; raises UsageError where it does not exist."""
    from scse_viz.zoo import PRETRAINED

    if chosen is not None and not chosen.is_dir():
        raise UsageError(f"{chosen}: no such folder; give a folder of cards and weights with --models")
    return chosen or PRETRAINED
