"""`scse-viz train`: a network from a person's own scans and labels."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scse_viz.cli.common import PLANES, UsageError

ARCHITECTURES = ("unet", "sdnet", "densenet")
VARIANTS = ("none", "cse", "sse", "scse", "scse-max", "scse-mul", "scse-concat")
DEVICES = ("auto", "cpu", "cuda")
DESCRIPTION = """\
Train networks on your own scans. FOLDER holds imagesTr/, labelsTr/ and dataset.json as the Medical Segmentation
Decathlon has them, or images/ and labels/ with the same names, in any format that `scse-viz segment` reads. A part of
the subjects is held out, and Dice on it is reported as the training goes. For each variant DIR gets weights, a card
and a history file, and in NAME.run/ the checkpoint, metrics.csv and split.json. Ctrl-C leaves a checkpoint, and the
same command goes on from it. On two graphics cards: torchrun --nproc-per-node 2 -m scse_viz train ...
"""


def add_parser(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command with its options."""
    train: argparse.ArgumentParser = commands.add_parser(
        "train",
        help="train networks on your own scans and labels",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="scans and labels")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the networks")
    train.add_argument("--architecture", choices=ARCHITECTURES, default="unet", help="default: unet")
    train.add_argument(
        "--variant",
        nargs="+",
        choices=VARIANTS,
        default=["scse"],
        help="one or several, all trained alike; default: scse",
    )
    train.add_argument("--name", help="what the networks segment; default: the name in dataset.json, or the folder's")
    train.add_argument("--steps", type=_count, default=4000, metavar="N", help="default: 4000")
    train.add_argument("--batch", type=_count, default=8, metavar="N", help="crops a step; default: 8")
    train.add_argument(
        "--size",
        type=_count,
        metavar="N",
        help="pixels a side of a crop; default: the longer side of a slice, at most 256. Channel gates average over "
        "all that they see, so a crop should show about what a slice shows",
    )
    train.add_argument(
        "--widths", type=_count, nargs=5, metavar="N", help="channels of the four encoder stages and the bottleneck"
    )
    train.add_argument("--rate", type=_positive, default=2e-3, metavar="R", help="peak learning rate; default: 0.002")
    train.add_argument("--seed", type=int, default=0, metavar="N", help="of first weights and crops; default: 0")
    train.add_argument(
        "--classes",
        type=Path,
        metavar="FILE",
        help="lines `number name` that say which label numbers to learn and how to call them; other numbers are "
        "background, two of one name one structure; default: those of dataset.json, or every number",
    )
    train.add_argument(
        "--planes",
        nargs="+",
        choices=PLANES,
        help="default: all for voxels near to cubes, else the one with fine pixels",
    )
    train.add_argument(
        "--pixel-mm", type=_positive, metavar="MM", help="side of a pixel; default: the median of the data"
    )
    train.add_argument(
        "--validation",
        type=_share_or_file,
        default=0.2,
        metavar="SHARE",
        help="share of subjects held out (files that begin with the same sub-NAME are of one subject), or a file of "
        "the names of the scans held out, one a line; default: 0.2",
    )
    train.add_argument(
        "--labels-only",
        action="store_true",
        help="FOLDER holds label maps alone: images are painted from them, each label at a random intensity",
    )
    train.add_argument("--device", choices=DEVICES, default="auto", help="default: auto, cuda where there is one")
    train.add_argument("--workers", type=int, default=0, metavar="N", help="processes that prepare crops; default: 0")
    train.set_defaults(run=run)
    return train


def run(options: argparse.Namespace) -> None:
    """Train every variant in turn, and say what came out and how to open it."""
    try:
        import accelerate  # noqa: F401 - found missing now, with a sentence
    except ModuleNotFoundError as error:
        raise UsageError(
            "training needs one library more: pip install '.[train]', or pip install accelerate"
        ) from error
    from scse_viz.training.brain.recipe import WIDTHS
    from scse_viz.training.own.data import Wishes, read_data
    from scse_viz.training.own.fit import Stopped
    from scse_viz.training.own.run import Settings, accelerator_for, train

    accelerator = accelerator_for(options.device)
    wishes = Wishes(
        name=options.name,
        classes=options.classes,
        labels_only=options.labels_only,
        planes=options.planes and tuple(options.planes),
        pixel_mm=options.pixel_mm,
        validation=options.validation,
    )
    settings = Settings(
        architecture=options.architecture,
        widths=tuple(options.widths or WIDTHS[options.architecture]),
        steps=options.steps,
        batch=options.batch,
        size=options.size,
        rate=options.rate,
        seed=options.seed,
        workers=options.workers,
    )
    data = read_data(options.data, wishes)
    if accelerator.is_main_process:
        print("\n".join(data.sentences()), flush=True)
    for variant in options.variant:
        try:
            card = train(data, variant, settings, options.out, accelerator)
        except Stopped as stop:
            if accelerator.is_main_process:
                goes_on = "the same command goes on from there"
                print(f"{stop.name}: stopped before step {stop.step}; {goes_on}", file=sys.stderr)
            raise
        if accelerator.is_main_process and card.figures is not None:
            print(f"{card.name}: mean Dice {card.figures['mean_dice']:.3f} ({card.figures['measured_on']})", flush=True)
    if accelerator.is_main_process:
        print(f"Look at it: SCSE_VIZ_MODELS={options.out} streamlit run app.py")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number of at least 1")
    return int(text)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return number


def _share_or_file(text: str) -> float | Path:
    try:
        return float(text)
    except ValueError:
        return Path(text)
