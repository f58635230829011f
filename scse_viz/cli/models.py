"""`scse-viz models`: list the networks."""

import argparse
import sys

from scse_viz.cli.common import Commands, UsageError, add_models_option, folder_of


def add_parser(commands: Commands) -> None:
    """Add the command with its options."""
    models: argparse.ArgumentParser = commands.add_parser("models", help="list the networks")
    add_models_option(models)
    models.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print a row for every network, and on stderr what the folders hold besides."""
    from scse_viz import zoo
    from scse_viz.inference.cost import of_slice
    from scse_viz.zoo.scores import readable_results

    folder = folder_of(options.models) if options.models else None  # None: all folders
    rows = [("name", "structures", "planes", "parameters", "multiply-adds", "trained crops", "mean Dice", "licence")]
    listing = zoo.listing(folder)
    for sentence in listing.skipped:
        print(f"scse-viz: skipped: {sentence}", file=sys.stderr)
    measured = readable_results(zoo.PRETRAINED)
    for card in listing.cards.values():
        training, figures = card.training or {}, card.figures or {}
        multiply_adds, (height, width) = of_slice(card, measured)
        rows.append(
            (
                card.name,
                str(len(card.structures) - 1),
                ", ".join(card.planes),
                f"{card.parameters:,}",
                f"{multiply_adds / 1e6:,.1f} million at {height} × {width}",
                _number(training.get("crops"), ","),
                _number(figures.get("mean_dice"), ".3f"),
                str(training.get("licence", "-")),
            )
        )
    if len(rows) == 1:
        raise UsageError(
            f"{folder or zoo.PRETRAINED.name}: no networks in this folder; give one of cards and weights with --models"
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _number(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, (int, float)) else "-"
