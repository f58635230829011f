"""`scse-viz train`: networks from a user's own scans and labels."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scse_viz.cli.common import PLANES, Commands, UsageError

if TYPE_CHECKING:
    from scse_viz.training.own.data import Wishes
    from scse_viz.training.own.settings import Settings

ARCHITECTURES = ("unet", "sdnet", "densenet", "smp-unet")
SMP_UNET = ARCHITECTURES[-1]
VARIANTS = (
    *("none", "cse", "sse", "scse", "scse-max", "scse-mul", "scse-concat"),
    *("scse-r16", "eca", "soca", "cbam", "pe", "nonlocal", "ag"),
)
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16")
DESCRIPTION = """\
Train networks on your own scans. FOLDER holds imagesTr/, labelsTr/ and dataset.json as the Medical Segmentation
Decathlon has them, or images/ and labels/ with the same names, in any format that `scse-viz segment` reads. Some
subjects are held out, and Dice on them is reported during training. Each variant's weights, card and training
history are written to DIR, its checkpoint, metrics.csv and split.json to DIR/NAME.run. After Ctrl-C the same command
resumes; the final weights are identical. On two graphics cards: torchrun --nproc-per-node 2 -m scse_viz train ...
"""


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    """Add the command with its options."""
    train: argparse.ArgumentParser = commands.add_parser(
        "train",
        help="train networks on your own scans and labels",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_network_options(train)
    _add_data_options(train)
    _add_schedule_options(train)
    train.set_defaults(run=run)
    return train


def _add_network_options(train: argparse.ArgumentParser) -> None:
    """Input, output, and the networks to train."""
    train.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="scans and labels")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the networks")
    train.add_argument(
        "--architecture",
        choices=ARCHITECTURES,
        default="unet",
        help="default: unet; smp-unet is the Unet of segmentation_models_pytorch, plain (none) or with scSE in its "
        "decoder (scse)",
    )
    train.add_argument(
        "--encoder",
        metavar="NAME",
        help="of smp-unet, as its library names it: resnet18, or tu-NAME for one of timm; default: tu-regnety_002, "
        "which has a squeeze and excitation in every block",
    )
    train.add_argument(
        "--encoder-weights",
        metavar="FILE|imagenet|none",
        default="none",
        help="first weights of the encoder: a file, or those that the library fetches from a hub (imagenet); the "
        "network is trained on intensities scaled to 0 to 1 all the same; default: none, random ones",
    )
    train.add_argument(
        "--variant",
        nargs="+",
        choices=VARIANTS,
        default=["scse"],
        help="one or several, trained alike; default: scse",
    )
    train.add_argument("--name", help="what the networks segment; default: the name in dataset.json, or the folder's")
    train.add_argument(
        "--widths",
        type=_count,
        nargs="+",
        metavar="N",
        help="channels of the four encoder stages and the bottleneck; of smp-unet those of 3 to 5 blocks of the "
        "decoder, from the coarsest",
    )


def _add_data_options(train: argparse.ArgumentParser) -> None:
    """How the data are read."""
    train.add_argument(
        "--classes",
        type=Path,
        metavar="FILE",
        help="lines `number name`: the label numbers to learn and their names; other numbers become "
        "background, numbers that share a name one structure; default: those of dataset.json, or every number",
    )
    train.add_argument(
        "--planes",
        nargs="+",
        choices=PLANES,
        help="default: all where voxels are nearly cubes, else the plane in which slices were acquired",
    )
    train.add_argument(
        "--pixel-mm", type=_positive, metavar="MM", help="side of a pixel; default: the median of the data"
    )
    train.add_argument(
        "--validation",
        type=_share_or_file,
        default=0.2,
        metavar="SHARE",
        help="share of subjects to hold out (files that begin with the same sub-NAME belong to one subject), or a "
        "file that lists the scans to hold out, one a line; default: 0.2",
    )
    train.add_argument(
        "--labels-only",
        action="store_true",
        help="FOLDER holds label maps alone: images are synthesised from them, each label at a random intensity",
    )


def _add_schedule_options(train: argparse.ArgumentParser) -> None:
    """How long, on which crops and on which machine."""
    train.add_argument("--steps", type=_count, default=4000, metavar="N", help="default: 4000")
    train.add_argument("--batch", type=_count, default=8, metavar="N", help="crops per step; default: 8")
    train.add_argument(
        "--size",
        type=_count,
        metavar="N",
        help="pixels a side of a crop; default: the longer side of a slice, at most 256. Channel gates average over "
        "the whole image, so a crop should show about as much as a slice",
    )
    train.add_argument("--rate", type=_positive, default=2e-3, metavar="R", help="peak learning rate; default: 0.002")
    train.add_argument("--seed", type=int, default=0, metavar="N", help="of initial weights and crops; default: 0")
    train.add_argument("--device", choices=DEVICES, default="auto", help="default: auto, cuda where there is one")
    train.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="default: auto, the quicker of the two on this machine"
    )
    train.add_argument("--workers", type=int, default=0, metavar="N", help="processes that prepare crops; default: 0")


def run(options: argparse.Namespace) -> None:
    """Train every variant in turn, and say how good each is and how to open it."""
    try:
        import accelerate  # noqa: F401 - missing, it is reported in a sentence
    except ModuleNotFoundError as error:
        raise UsageError("training needs Accelerate: pip install '.[train]', or pip install accelerate") from error
    from scse_viz.training.engine.loop import Stopped
    from scse_viz.training.engine.machine import machine_for
    from scse_viz.training.own.data import read_data
    from scse_viz.training.own.train import train_network

    machine = machine_for(options.device, workers=options.workers, precision=options.precision)
    settings = _settings(options)
    data = read_data(options.data, _wishes(options))
    say = print if machine.main else (lambda *_, **__: None)
    say("\n".join(data.sentences()), flush=True)
    for variant in options.variant:
        try:
            card = train_network(data, variant, settings, options.out, machine)
        except Stopped as stop:
            say(stop, file=sys.stderr)
            raise
        if card.figures is not None:
            say(f"{card.name}: mean Dice {card.figures['mean_dice']:.3f} ({card.figures['measured_on']})", flush=True)
    say(f"Look at it: SCSE_VIZ_MODELS={options.out} streamlit run app.py")


def _settings(options: argparse.Namespace) -> Settings:
    from scse_viz.training.brain.recipe import WIDTHS
    from scse_viz.training.own.settings import Settings
    from scse_viz.training.shipped import ENCODERS

    given = {"--encoder": options.encoder, "--encoder-weights": options.encoder_weights != "none"}
    for option, is_given in given.items():
        if is_given and options.architecture != SMP_UNET:
            raise UsageError(f"{option}: {options.architecture} has no encoder of another library; choose {SMP_UNET}")
    return Settings(
        architecture=options.architecture,
        widths=tuple(options.widths or WIDTHS[options.architecture]),
        steps=options.steps,
        batch=options.batch,
        size=options.size,
        rate=options.rate,
        seed=options.seed,
        encoder=options.encoder or ENCODERS.get(options.architecture, ""),
        encoder_weights=None if options.encoder_weights == "none" else options.encoder_weights,
    )


def _wishes(options: argparse.Namespace) -> Wishes:
    from scse_viz.training.own.data import Wishes

    return Wishes(
        name=options.name,
        classes=options.classes,
        labels_only=options.labels_only,
        planes=options.planes and tuple(options.planes),
        pixel_mm=options.pixel_mm,
        validation=options.validation,
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
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
