"""`scse-viz cohort`: many scans through networks on Dask, to Parquet tables that the page Cohort reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scse_viz.cli.common import PLANES, Commands, UsageError, add_models_option, folder_of

if TYPE_CHECKING:
    from scse_viz.cohort import ScanTask


def add_parser(commands: Commands) -> None:
    """Add the command with its options."""
    cohort: argparse.ArgumentParser = commands.add_parser(
        "cohort",
        help="run networks on many scans with Dask, and record their gates",
        description="A task a scan. Writes scans.parquet (volumes, Dice), gates.parquet (by block and structure: mean, "
        "spread, saturation, health; channel weights), summary.json and refused.csv. The same command resumes where it "
        "stopped.",
    )
    cohort.add_argument("scans", nargs="+", metavar="SCANS", help="folder, glob, BIDS tree, or a .csv/.tsv with path")
    cohort.add_argument("--model", action="append", required=True, metavar="NAME", help="a network; may be repeated")
    cohort.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    where = cohort.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as tcp://host:8786")
    where.add_argument("--workers", type=int, metavar="N", help="processes on this machine (default: one a core)")
    cohort.add_argument("--memory", default="4GiB", metavar="SIZE", help="of a worker on this machine (default 4GiB)")
    cohort.add_argument("--plane", choices=PLANES, help="default: as `scse-viz segment`")
    cohort.add_argument("--slices", type=int, metavar="N", help="slices a scan, evenly spaced (default: all)")
    cohort.add_argument("--suffix", default="T1w", help="which images of a BIDS tree (default T1w)")
    cohort.add_argument("--maps", action="store_true", help="also write spatial gates, in DIR/maps on a shared disk")
    add_models_option(cohort)
    cohort.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run what is not done yet, and write the tables of all."""
    from tqdm import tqdm

    from scse_viz.cohort import gather

    try:
        from scse_viz.cohort import running
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed; run: pip install 'scse-viz[cohort]'") from error
    if any(count is not None and count < 1 for count in (options.workers, options.slices)):
        raise UsageError("--workers and --slices: give at least 1")
    tasks = _tasks(options)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{options.out}: cannot be written, {error.strerror}; choose another folder") from error
    with (
        running.connected(options.scheduler, options.workers, options.memory) as client,
        tqdm(total=len(tasks), unit="scan", desc="cohort") as bar,
    ):
        print(f"Dask's dashboard: {client.dashboard_link}", file=sys.stderr)
        outcome = running.run(tasks, options.out, client, lambda done, _: bar.update(done - bar.n))
    summary = gather(options.out, [task.key for task in tasks], outcome.failed)
    print(f"{summary['read']} read, {summary['refused']} refused, {summary['failed']} failed; {options.out}")


def _tasks(options: argparse.Namespace) -> list[ScanTask]:
    from scse_viz import zoo
    from scse_viz.cohort import ScanTask, find_entries

    folder = folder_of(options.models).absolute() if options.models else None
    cards = [zoo.read_card(name, folder) for name in dict.fromkeys(options.model)]
    maps = (options.out / "maps").absolute() if options.maps else None
    return [
        ScanTask(entry, card.name, folder, card.sha256, options.plane, options.slices, maps)
        for entry in find_entries(options.scans, options.suffix)
        for card in cards
    ]
