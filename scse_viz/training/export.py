"""Checkpoints become what the app opens: weights, card and growth file. `python -m scse_viz.training.export`."""

import argparse
import sys
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import torch

from scse_viz.anatomy import BRAIN
from scse_viz.training.brain import STAGES, WIDTHS, reference_slices
from scse_viz.training.growth import Growth
from scse_viz.zoo import PRETRAINED, Card, save

TRAINING_DATA = "images synthesised from 16 whole-head label maps (training_seg_01 to 16) of the SynthSeg repository"
METHOD = "Billot et al., SynthSeg, Medical Image Analysis 2023"
LICENCE = "Apache-2.0"


def export(run: Path, reference: Path, folder: Path = PRETRAINED, dtype: str = "float32") -> list[Card]:
    """Write weights, card and growth file of every network that `scse_viz.training.brain` finished in a run folder."""
    references = reference_slices(reference)
    cards = []
    for last in sorted(run.glob(f"*-{STAGES[-1].name}.pt")):
        prefix = last.name.removesuffix(f"{STAGES[-1].name}.pt")
        states = [torch.load(run / f"{prefix}{stage.name}.pt", weights_only=True) for stage in STAGES]
        for name, weights in states[-1]["models"].items():
            card = _card(name, states, dtype)
            model = card.network()
            model.load_state_dict(weights)
            cards.append(save(model, card, folder))
            growth = reduce(Growth.followed_by, (Growth(**state["growth"][name]) for state in states))
            growth.save(folder / f"{name}.growth.npz", references, [structure.name for structure in BRAIN])
    return cards


def _card(name: str, states: Sequence[dict[str, Any]], dtype: str) -> Card:
    anatomy, architecture, variant = name.split("-", 2)
    crops = [state["step"] * stage.batch for stage, state in zip(STAGES, states, strict=True)]
    return Card(
        name=name,
        anatomy=anatomy,
        architecture=architecture,
        variant=variant,
        widths=WIDTHS,
        structures=BRAIN,
        planes=("sagittal", "coronal", "axial"),
        parameters=0,
        sha256="",
        dtype=dtype,
        training={
            "data": TRAINING_DATA,
            "method": METHOD,
            "licence": LICENCE,
            "seed": states[0]["plan"]["seed"],
            "steps": sum(state["step"] for state in states),
            "crops": sum(crops),
            "stages": [
                {"name": stage.name, "crops": seen, "sizes_mm": list(stage.sizes)}
                for stage, seen in zip(STAGES, crops, strict=True)
            ],
        },
    )


def main(argv: list[str] | None = None) -> int:
    """Export every network of a run folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of finished checkpoints")
    parser.add_argument("--reference", type=Path, required=True, help="the scan of the growth files' reference slices")
    parser.add_argument("--out", type=Path, default=PRETRAINED)
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], default="float32")
    options = parser.parse_args(argv)
    for card in export(options.run, options.reference, options.out, options.dtype):
        print(f"{card.name}: {card.parameters:,} parameters, {card.training and card.training['crops']:,} crops")
    return 0


if __name__ == "__main__":
    sys.exit(main())
