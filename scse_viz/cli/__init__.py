"""The command `scse-viz`: networks on whole scans, without the app."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from scse_viz import __version__
from scse_viz.cli import app, believe, cohort, evaluate, health, models, repeat, segment, train
from scse_viz.cli.common import UsageError
from scse_viz.system.openmp import sleep_soon

BAD_INPUT = 2
STOPPED = 130
COMMANDS = (app, segment, cohort, health, believe, repeat, train, evaluate, models)
"""In the order of the help; the `add_parser` of each module adds its command and the function that runs it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 after a sentence on bad input, 130 when interrupted."""
    sleep_soon()
    options = parser().parse_args(argv)
    try:
        options.run(options)
    except KeyboardInterrupt:
        return STOPPED
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        print(f"scse-viz: {sentence}", file=sys.stderr)
        return BAD_INPUT
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    whole = argparse.ArgumentParser(
        prog="scse-viz", description="Segment scans and record the gates of the networks; train and measure networks."
    )
    whole.add_argument("--version", action="version", version=f"scse-viz {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return whole


def _sentence(error: Exception) -> str | None:
    """The sentence for a user's error; None for a fault of the program."""
    from scse_viz.cohort.entries import CohortError
    from scse_viz.scans import ScanError, VolumeChoice
    from scse_viz.system.devices import DeviceError
    from scse_viz.training import TrainingError
    from scse_viz.zoo import WeightsError
    from scse_viz.zoo.scores import ResultsError

    if isinstance(error, VolumeChoice):
        return f"{error}, with --volume"
    ours = (UsageError, CohortError, DeviceError, TrainingError, ResultsError, ScanError, WeightsError)
    return str(error) if isinstance(error, ours) else None
