"""What commands share: the error for a person, the folder of networks, the planes."""

import argparse
from pathlib import Path

PLANES = ("axial", "coronal", "sagittal")


class UsageError(ValueError):
    """What was asked for cannot be done; the sentence is for people."""


def add_models_option(command: argparse.ArgumentParser) -> None:
    """Let a command be told where the networks are."""
    command.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="folder of networks (default: the shipped ones, and for segment and models those in SCSE_VIZ_MODELS)",
    )


def folder_of(chosen: Path | None) -> Path:
    """The folder of networks that was chosen, or the shipped one; raises UsageError for one that is not there."""
    from scse_viz.zoo import PRETRAINED

    if chosen is not None and not chosen.is_dir():
        raise UsageError(f"{chosen}: no such folder; give a folder of cards and weights with --models")
    return chosen or PRETRAINED
